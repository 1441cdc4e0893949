"""Tokenizers: the checkpoint's own, and a byte-level one for checkpoints without text training."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from chefmate_core.errors import ConfigurationError

IMAGE_TOKEN = '<IMG_CONTEXT>'
# What a prompt is built of besides text. An instruction must not contain them.
SPECIAL_TOKENS = ('<|endoftext|>', '<|im_start|>', '<|im_end|>', '<img>', '</img>', IMAGE_TOKEN)

# Files of which one must be there: the fast tokenizer, or the vocabulary that it is built from.
TOKENIZER_FILES = ('tokenizer.json', 'vocab.json')
# Checkpoints seldom carry the tokenizer: Isaac-GR00T and LeRobot keep it beside their code.
TOKENIZER_ORIGIN = (
    'the tokenizer files of Eagle for N1.5: the hub repository '
    'lerobot/eagle2hg-processor-groot-n1p5, or gr00t/model/backbone/eagle2_hg_model/ of '
    'NVIDIA/Isaac-GR00T at its N1.5 release'
)


class Tokenizer(Protocol):
    """Turns a prompt's text into token ids."""

    @property
    def image_id(self) -> int:
        """Of the token that stands for one image token."""

    @property
    def padding_id(self) -> int:
        """Of the token that fills shorter prompts of a batch; the attention mask hides it."""

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text; special tokens in it are one id each."""

    def render(self, content: Any) -> str | None:
        """Render a user's message with the chat template; None where there is no template.

        Args:
            content: text, or a list of {'type': 'image'} and {'type': 'text', 'text': ...}.
        """


class ByteTokenizer:
    """A token for each byte of UTF-8, 0 to 255, and one for each special token.

    For models whose weights never saw text, such as `tiny`: deterministic, and no file needed.
    """

    def __init__(self, image_id: int, vocabulary: int) -> None:
        """Give every special token but the image's the next free id from 256 on.

        Raises:
            ConfigurationError: the vocabulary is too small.
        """
        free = (index for index in range(256, 256 + len(SPECIAL_TOKENS)) if index != image_id)
        self._special = {
            token: image_id if token == IMAGE_TOKEN else next(free) for token in SPECIAL_TOKENS
        }
        largest = max(self._special.values())
        if image_id < 256 or largest >= vocabulary:
            raise ConfigurationError(
                f'byte tokenizer: expected an image token of 256 or more and a vocabulary of '
                f'{largest + 1} or more; found {image_id} and {vocabulary}'
            )

    @property
    def image_id(self) -> int:
        """Of the token that stands for one image token."""
        return self._special[IMAGE_TOKEN]

    @property
    def padding_id(self) -> int:
        """Of the token that fills shorter prompts of a batch."""
        return self._special['<|endoftext|>']

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text; special tokens in it are one id each."""
        pieces: list[str | int] = [text]
        for token, index in self._special.items():
            pieces = [part for piece in pieces for part in _split(piece, token, index)]
        return [
            index
            for piece in pieces
            for index in ([piece] if isinstance(piece, int) else piece.encode())
        ]

    def render(self, content: Any) -> None:
        """Return None: there is no chat template."""


def _split(piece: str | int, token: str, index: int) -> list[str | int]:
    if isinstance(piece, int):
        return [piece]
    first, *rest = piece.split(token)
    return [first, *(part for text in rest for part in (index, text))]


class FolderTokenizer:
    """A tokenizer of files: those of Qwen and Eagle, through transformers."""

    def __init__(self, folder: Path) -> None:
        """Load it; nothing is fetched and no code of the folder is run.

        Raises:
            ConfigurationError: there is none, it cannot be read, or it knows no image token.
        """
        # Importing transformers takes seconds: only where a tokenizer is loaded.
        from transformers import AutoTokenizer

        try:
            tokenizer: Any = AutoTokenizer.from_pretrained(
                str(folder), local_files_only=True, trust_remote_code=False, padding_side='left'
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigurationError(f'{folder}: cannot read the tokenizer: {error}') from error
        self._tokenizer = tokenizer
        self._template = _processor_template(folder) or self._tokenizer.chat_template
        image_id = self._tokenizer.convert_tokens_to_ids(IMAGE_TOKEN)
        if image_id is None or image_id == self._tokenizer.unk_token_id:
            raise ConfigurationError(
                f'{folder}: expected a tokenizer with the token {IMAGE_TOKEN}; found one without. '
                f'Needed: {TOKENIZER_ORIGIN}'
            )
        ends = (self._tokenizer.pad_token_id, self._tokenizer.eos_token_id)
        padding_id = next((index for index in ends if index is not None), None)
        if padding_id is None:
            raise ConfigurationError(
                f'{folder}: expected a tokenizer with a padding or an end-of-text token; '
                'found neither'
            )
        self.image_id: int = image_id
        self.padding_id: int = padding_id

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text; special tokens in it are one id each."""
        return self._tokenizer(text)['input_ids']

    def render(self, content: Any) -> str | None:
        """Render a user's message with the folder's chat template; None where there is none.

        Raises:
            ConfigurationError: the template cannot render it.
        """
        if self._template is None:
            return None
        # Jinja's errors are of several unrelated classes; the template is the folder's.
        from jinja2 import TemplateError

        try:
            return self._tokenizer.apply_chat_template(
                [{'role': 'user', 'content': content}],
                chat_template=self._template,
                tokenize=False,
                add_generation_prompt=True,
            )
        except (TemplateError, TypeError, ValueError) as error:
            raise ConfigurationError(f'the chat template fails: {error}') from error


def _processor_template(folder: Path) -> str | None:
    """The processor's template, which stands in a file of its own, where there is one.

    Eagle's is this one; the template in its tokenizer's config is that of the language model,
    which knows no images.
    """
    file = folder / 'chat_template.json'
    if not file.is_file():
        return None
    try:
        return json.loads(file.read_text(encoding='utf-8'))['chat_template']
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f'{file}: expected {{"chat_template": "..."}}; found: {error!r}'
        ) from error


def has_tokenizer(folder: Path) -> bool:
    """Whether a folder holds a tokenizer's files."""
    return any((folder / name).is_file() for name in TOKENIZER_FILES)


def find_tokenizer(folders: Sequence[Path]) -> FolderTokenizer:
    """Load the tokenizer of the first of `folders` that holds one.

    Raises:
        ConfigurationError: none does; the message says what is needed and where it is published.
    """
    for folder in folders:
        if has_tokenizer(folder):
            return FolderTokenizer(folder)
    raise ConfigurationError(
        f'no tokenizer ({" or ".join(TOKENIZER_FILES)}) in '
        f'{", ".join(str(folder) for folder in folders) or "no folder"}. Needed: '
        f'{TOKENIZER_ORIGIN}. Next: chefmate models fetch eagle-tokenizer (once for all '
        'models), or copy those files into one of these folders'
    )
