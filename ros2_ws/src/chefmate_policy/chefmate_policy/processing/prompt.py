"""The prompt of GR00T N1.5: cameras and instruction in Eagle's chat form, as tokens.

Source: NVIDIA/Isaac-GR00T at N1.5, `eagle2_hg_model/processing_eagle2_5_vl.py` (placeholders and
what they become) and the chat template of Eagle 2.5.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

from chefmate_core.errors import ConfigurationError
from chefmate_core.policy.engine import EngineRequestError
from chefmate_policy.processing.profile import Profile
from chefmate_policy.processing.tokens import IMAGE_TOKEN, SPECIAL_TOKENS, Tokenizer

MAX_INSTRUCTION_CHARACTERS = 1000  # a sentence has 100: what is longer is an accident or an attack
CACHED_PROMPTS = 64  # instructions change rarely; a prompt of two cameras is 4.5 kB

# A template marks where image N goes with <image-N>.
_PLACEHOLDER = re.compile(r'<image-(\d+)>')


def check_instruction(instruction: object, profile: Profile) -> str:
    """Return an instruction that a prompt can hold, as it was given.

    Raises:
        EngineRequestError: it is empty, too long, or would change the prompt around it.
    """
    if not isinstance(instruction, str):
        raise EngineRequestError(f'instruction: expected text; found {type(instruction).__name__}')
    if not instruction.strip() or (profile.clean_text and not profile.text(instruction).strip()):
        raise EngineRequestError(
            f'instruction: expected a sentence that says what to do; found {instruction!r}'
        )
    if len(instruction) > MAX_INSTRUCTION_CHARACTERS:
        raise EngineRequestError(
            f'instruction: expected at most {MAX_INSTRUCTION_CHARACTERS} characters; '
            f'found {len(instruction)}'
        )
    found = [token for token in SPECIAL_TOKENS if token in instruction]
    found += [match[0] for match in _PLACEHOLDER.finditer(instruction)]
    if found:
        raise EngineRequestError(
            f'instruction: expected plain words; found {", ".join(found)}, which the prompt '
            'is built of'
        )
    return instruction


def build_prompt(text: str, cameras: int, tokens_per_image: int, tokenizer: Tokenizer) -> str:
    """Return the prompt for one instruction and `cameras` images.

    The tokenizer's own chat template has the first word. Templates of language models know text
    only: they get the placeholders as text.

    Raises:
        ConfigurationError: the tokenizer's template loses the text or an image.
    """
    placeholders = [f'<image-{index + 1}>' for index in range(cameras)]
    images: list[dict[str, str]] = [{'type': 'image'} for _ in placeholders]
    rendered = [
        _try_render(tokenizer, [*images, {'type': 'text', 'text': text}]),
        _try_render(tokenizer, ''.join(placeholders) + text),
    ]
    if rendered == [None, None]:
        rendered = [default_template(''.join(placeholders) + text)]
    for prompt in rendered:
        if (
            prompt
            and text in prompt
            and _PLACEHOLDER.findall(prompt) == [str(index + 1) for index in range(cameras)]
        ):
            return _PLACEHOLDER.sub(
                lambda match: f'<image {match[1]}><img>{IMAGE_TOKEN * tokens_per_image}</img>',
                prompt,
            )
    raise ConfigurationError(
        f'chat template of the tokenizer: expected a prompt with {", ".join(placeholders)} and '
        f'the instruction, once each and in this order; found {rendered}'
    )


def default_template(content: str) -> str:
    """Return Eagle's prompt around a user's message: for tokenizers without a template."""
    return (
        '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n'
        f'<|im_start|>user\n{content}<|im_end|>\n<|im_start|>assistant\n'
    )


def _try_render(tokenizer: Tokenizer, content: object) -> str | None:
    """What the template makes of `content`; its complaint where it cannot."""
    try:
        return tokenizer.render(content)
    except ConfigurationError as error:
        return str(error)


class PromptEncoder:
    """Prompts as tokens, for a fixed number of cameras. Remembers the newest instructions."""

    def __init__(
        self,
        profile: Profile,
        cameras: int,
        tokens_per_image: int,
        tokenizer: Tokenizer,
        vocabulary: int = 2**31,
    ) -> None:
        """Prepare for `cameras` images of `tokens_per_image` tokens each.

        `vocabulary`: how many words the model knows.

        Raises:
            ConfigurationError: the tokenizer's chat template cannot hold that many images.
        """
        self._profile = profile
        self._cameras = cameras
        self._tokens_per_image = tokens_per_image
        self._tokenizer = tokenizer
        self._vocabulary = vocabulary
        self._encode = lru_cache(CACHED_PROMPTS)(self._encode_new)
        build_prompt('pick up the bread', cameras, tokens_per_image, tokenizer)

    def encode(self, instruction: str) -> tuple[int, ...]:
        """Return the token ids of one instruction's prompt.

        Raises:
            EngineRequestError: the instruction cannot be used; the message says why.
        """
        return self._encode(check_instruction(instruction, self._profile))

    def batch(self, instructions: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Return input ids and attention mask, int64 (B, L) each; shorter prompts padded left.

        Raises:
            EngineRequestError: an instruction cannot be used, or there is none.
        """
        prompts = [self.encode(instruction) for instruction in instructions]
        if not prompts:
            raise EngineRequestError('expected one instruction or more; found none')
        length = max(map(len, prompts))
        input_ids = torch.full((len(prompts), length), self._tokenizer.padding_id)
        attention_mask = torch.zeros_like(input_ids)
        for row, prompt in enumerate(prompts):
            input_ids[row, length - len(prompt) :] = torch.tensor(prompt)
            attention_mask[row, length - len(prompt) :] = 1
        return input_ids, attention_mask

    def _encode_new(self, instruction: str) -> tuple[int, ...]:
        text = self._profile.text(instruction)
        prompt = build_prompt(text, self._cameras, self._tokens_per_image, self._tokenizer)
        ids = tuple(self._tokenizer.encode(prompt))
        expected = self._cameras * self._tokens_per_image
        if max(ids) >= self._vocabulary:
            raise EngineRequestError(
                f'prompt of {instruction!r}: expected token ids below {self._vocabulary}, the '
                f'words of the model; found {max(ids)}: the tokenizer is of another model'
            )
        found = ids.count(self._tokenizer.image_id)
        if found != expected:
            raise EngineRequestError(
                f'prompt of {instruction!r}: expected {expected} image tokens, '
                f'{self._tokens_per_image} for each of {self._cameras} cameras; found {found}'
            )
        return ids
