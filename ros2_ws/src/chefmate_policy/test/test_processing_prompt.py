import contextlib
import dataclasses
import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer as BackendTokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel

from chefmate_core.errors import ConfigurationError, PolicyError
from chefmate_policy.processing.profile import ISAAC, LEROBOT
from chefmate_policy.processing.prompt import PromptEncoder, build_prompt, check_instruction
from chefmate_policy.processing.tokens import (
    IMAGE_TOKEN,
    SPECIAL_TOKENS,
    ByteTokenizer,
    FolderTokenizer,
    find_tokenizer,
)

BYTES = ByteTokenizer(image_id=259, vocabulary=320)
# Shaped like Eagle's: placeholders for images, text as it is, in a message of parts.
EAGLE_TEMPLATE = (
    '{% set n = namespace(value=0) %}{% for message in messages %}'
    '<|im_start|>{{ message.role }}\n'
    '{% for part in message.content %}{% if part.type == "image" %}'
    '{% set n.value = n.value + 1 %}<image-{{ n.value }}>'
    '{% else %}{{ part.text }}{% endif %}{% endfor %}<|im_end|>\n{% endfor %}'
    '{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}'
)
# Like a language model's: content must be text.
TEXT_TEMPLATE = (
    '{% for message in messages %}[{{ message.role }}] {{ message.content + "" }}{% endfor %}'
)


def write_tokenizer(folder: Path, template: str | None = None, **config) -> Path:
    """A byte-level tokenizer with Eagle's special tokens, in the files of a checkpoint."""
    folder.mkdir(parents=True, exist_ok=True)
    alphabet = {symbol: index for index, symbol in enumerate(sorted(ByteLevel.alphabet()))}
    backend = BackendTokenizer(BPE(vocab=alphabet, merges=[]))
    backend.pre_tokenizer = ByteLevel(add_prefix_space=False)
    special = config.pop('special', SPECIAL_TOKENS)
    backend.add_special_tokens(list(special))
    backend.save(str(folder / 'tokenizer.json'))
    settings = {'tokenizer_class': 'PreTrainedTokenizerFast', 'pad_token': '<|endoftext|>'}
    settings |= config
    if template is not None:
        settings['chat_template'] = template
    (folder / 'tokenizer_config.json').write_text(json.dumps(settings))
    return folder


def write_eagle_layout(folder: Path) -> Path:
    """The files in which Eagle's tokenizer is published: vocabulary, merges, special tokens."""
    vocabulary = {symbol: index for index, symbol in enumerate(sorted(ByteLevel.alphabet()))}
    (folder / 'vocab.json').write_text(json.dumps(vocabulary))
    (folder / 'merges.txt').write_text('#version: 0.2\n')
    added = {
        str(len(vocabulary) + index): {'content': token, 'special': True}
        for index, token in enumerate(SPECIAL_TOKENS)
    }
    settings = {
        'tokenizer_class': 'Qwen2Tokenizer',
        'added_tokens_decoder': added,
        'pad_token': '<|endoftext|>',
        'chat_template': TEXT_TEMPLATE,
        'processor_class': 'Eagle2_5_VLProcessor',
        'auto_map': {'AutoProcessor': 'processing_eagle2_5_vl.Eagle2_5_VLProcessor'},
    }
    (folder / 'tokenizer_config.json').write_text(json.dumps(settings))
    (folder / 'chat_template.json').write_text(json.dumps({'chat_template': EAGLE_TEMPLATE}))
    (folder / 'config.json').write_text(json.dumps({'model_type': 'eagle_2_5_vl'}))
    return folder


def test_the_prompt_is_eagles_word_for_word():
    assert build_prompt('pick up the bread', 2, 3, BYTES) == (
        '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n'
        '<|im_start|>user\n'
        '<image 1><img><IMG_CONTEXT><IMG_CONTEXT><IMG_CONTEXT></img>'
        '<image 2><img><IMG_CONTEXT><IMG_CONTEXT><IMG_CONTEXT></img>'
        'pick up the bread<|im_end|>\n'
        '<|im_start|>assistant\n'
    )


@pytest.mark.parametrize('cameras', [1, 2, 3, 12])
def test_every_camera_has_its_image_tokens(cameras):
    ids = PromptEncoder(ISAAC, cameras, 256, BYTES).encode('pick up the bread')
    assert ids.count(BYTES.image_id) == cameras * 256


def test_lerobots_prompt_holds_the_instruction_as_a_list():
    ids = PromptEncoder(LEROBOT, 1, 4, BYTES).encode('pick')
    text = bytes(index for index in ids if index < 256).decode()
    assert text.endswith("['pick']\nassistant\n")


def test_shorter_prompts_are_padded_on_the_left_and_masked():
    encoder = PromptEncoder(ISAAC, 1, 4, BYTES)
    input_ids, mask = encoder.batch(['pick', 'pick up the bread'])
    assert input_ids.shape == mask.shape
    padding = len(' up the bread')
    assert (input_ids[0, :padding] == BYTES.padding_id).all() and not mask[0, :padding].any()
    assert tuple(input_ids[0, padding:].tolist()) == encoder.encode('pick')
    assert mask[0, padding:].all() and mask[1].all()


def test_a_prompt_is_made_once_for_each_instruction():
    encoder = PromptEncoder(ISAAC, 1, 4, BYTES)
    assert encoder.encode('pick') is encoder.encode('pick')
    assert encoder.encode('pick') != encoder.encode('place')


@pytest.mark.parametrize('instruction', ['', '  ', '\n\t'])
def test_an_empty_instruction_is_refused(instruction):
    with pytest.raises(PolicyError, match='expected a sentence'):
        check_instruction(instruction, ISAAC)


def test_an_instruction_of_which_cleaning_leaves_nothing_is_refused():
    check_instruction('?!', ISAAC)
    with pytest.raises(PolicyError, match='expected a sentence'):
        check_instruction('?!', dataclasses.replace(ISAAC, clean_text=True))


@pytest.mark.parametrize(
    'marker', ['<IMG_CONTEXT>', '<|im_end|>', '<|im_start|>', '<img>', '</img>', '<image-1>']
)
def test_an_instruction_cannot_rewrite_the_prompt_around_it(marker):
    with pytest.raises(PolicyError, match='expected plain words; found'):
        PromptEncoder(ISAAC, 1, 4, BYTES).encode(f'pick {marker} up')


@pytest.mark.parametrize('instruction', [None, 3, ['pick'], b'pick'])
def test_an_instruction_that_is_no_text_is_refused(instruction):
    with pytest.raises(PolicyError, match='expected text; found'):
        check_instruction(instruction, ISAAC)


def test_an_instruction_of_a_novels_length_is_refused():
    with pytest.raises(PolicyError, match='at most 1000 characters; found 2000'):
        check_instruction('pick' * 500, ISAAC)


def test_bytes_are_their_own_tokens_and_special_tokens_have_one_each():
    assert BYTES.encode('aé') == [97, 195, 169]
    ids = [BYTES.encode(token) for token in SPECIAL_TOKENS]
    assert all(len(index) == 1 and 256 <= index[0] < 320 for index in ids)
    assert len({index[0] for index in ids}) == len(SPECIAL_TOKENS)
    assert BYTES.encode(f'a{IMAGE_TOKEN}{IMAGE_TOKEN}b') == [97, 259, 259, 98]


@pytest.mark.parametrize(('image_id', 'vocabulary'), [(10, 320), (259, 260), (400, 320)])
def test_a_vocabulary_without_room_for_bytes_and_special_tokens_is_refused(image_id, vocabulary):
    with pytest.raises(ConfigurationError, match=rf'found {image_id} and {vocabulary}'):
        ByteTokenizer(image_id, vocabulary)


def test_a_checkpoints_tokenizer_is_read_from_its_files(tmp_path):
    tokenizer = FolderTokenizer(write_tokenizer(tmp_path))
    assert tokenizer.encode(IMAGE_TOKEN * 2) == [tokenizer.image_id] * 2
    ids = PromptEncoder(ISAAC, 2, 256, tokenizer).encode('pick up the bread')
    assert ids.count(tokenizer.image_id) == 512


def test_eagles_tokenizer_is_read_from_the_files_it_is_published_in(tmp_path):
    tokenizer = FolderTokenizer(write_eagle_layout(tmp_path))
    ids = PromptEncoder(ISAAC, 2, 256, tokenizer).encode('pick up the bread')
    assert ids.count(tokenizer.image_id) == 512
    assert tokenizer.image_id == 256 + SPECIAL_TOKENS.index(IMAGE_TOKEN)
    assert ids[0] == tokenizer.encode('<|im_start|>')[0]
    assert tokenizer.padding_id == tokenizer.encode('<|endoftext|>')[0]


def test_a_config_of_an_unknown_model_beside_the_tokenizer_does_no_harm(tmp_path):
    folder = write_tokenizer(tmp_path)
    (folder / 'config.json').write_text(json.dumps({'model_type': 'gr00t_n1_5'}))
    assert FolderTokenizer(folder).encode('a')


def test_the_tokenizers_own_chat_template_wins(tmp_path):
    tokenizer = FolderTokenizer(write_tokenizer(tmp_path, EAGLE_TEMPLATE))
    assert build_prompt('pick', 2, 1, tokenizer) == (
        '<|im_start|>user\n<image 1><img><IMG_CONTEXT></img><image 2><img><IMG_CONTEXT></img>'
        'pick<|im_end|>\n<|im_start|>assistant\n'
    )


def test_the_processors_template_wins_over_that_of_the_language_model(tmp_path):
    folder = write_tokenizer(tmp_path, TEXT_TEMPLATE)
    (folder / 'chat_template.json').write_text(json.dumps({'chat_template': EAGLE_TEMPLATE}))
    assert build_prompt('pick', 1, 1, FolderTokenizer(folder)).startswith('<|im_start|>user')


def test_a_template_that_knows_only_text_gets_the_images_as_text(tmp_path):
    tokenizer = FolderTokenizer(write_tokenizer(tmp_path, TEXT_TEMPLATE))
    assert build_prompt('pick', 1, 1, tokenizer) == '[user] <image 1><img><IMG_CONTEXT></img>pick'


@pytest.mark.parametrize(
    'template', ['{{ messages[0].role }}', '{{ raise_exception("no") }}', '{{ nothing.at.all }}']
)
def test_a_template_that_loses_images_or_text_is_refused_at_once(tmp_path, template):
    tokenizer = FolderTokenizer(write_tokenizer(tmp_path, template))
    with pytest.raises(ConfigurationError, match='chat template of the tokenizer: expected'):
        PromptEncoder(ISAAC, 2, 4, tokenizer)


def test_a_tokenizer_without_the_image_token_is_refused(tmp_path):
    folder = write_tokenizer(tmp_path, special=['<|endoftext|>', '<|im_start|>', '<|im_end|>'])
    with pytest.raises(ConfigurationError, match='token <IMG_CONTEXT>; found one without'):
        FolderTokenizer(folder)


def test_the_first_folder_with_a_tokenizer_is_taken(tmp_path):
    empty, full = tmp_path / 'checkpoint', write_tokenizer(tmp_path / 'tokenizer')
    empty.mkdir()
    assert find_tokenizer([empty, full]).encode('a')


def test_without_a_tokenizer_the_message_says_where_one_is_published(tmp_path):
    with pytest.raises(ConfigurationError, match=r'no tokenizer.*eagle2hg-processor-groot-n1p5'):
        find_tokenizer([tmp_path])


def test_a_broken_tokenizer_file_is_named(tmp_path):
    folder = write_tokenizer(tmp_path)
    (folder / 'tokenizer.json').write_text('{"version": ')
    with pytest.raises(ConfigurationError, match='cannot read the tokenizer'):
        FolderTokenizer(folder)


def test_code_in_a_checkpoints_folder_is_not_run(tmp_path):
    folder = write_tokenizer(
        tmp_path,
        tokenizer_class='EvilTokenizer',
        auto_map={'AutoTokenizer': ['evil.EvilTokenizer', None]},
    )
    (folder / 'evil.py').write_text(f'open({str(tmp_path / "ran")!r}, "w")\nraise SystemExit')
    with contextlib.suppress(ConfigurationError):  # refused, or read without it: either is fine
        FolderTokenizer(folder)
    assert not (tmp_path / 'ran').exists()
