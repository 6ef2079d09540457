"""The official OpenAI client against the tests' model endpoint.

Called with a JSON object that names the endpoints of the test by what is wrong with them; prints nothing where the client
sees all of them as it would see the hosted API, and fails with the first difference otherwise.
"""

import json
import math
import sys

import openai

URLS = json.loads(sys.argv[1])
TEXTS = ["Alice founded a bakery in Berlin", "Bob lives in Rome", "a bakery in Berlin"]
SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "city": {"type": ["string", "null"]}},
    "required": ["name", "city"],
    "additionalProperties": False,
}
# One for all: each would read the system's certificates anew.
HTTP = openai.DefaultHttpxClient()


def client(name, key="sk-contract", retries=0):
    return openai.OpenAI(base_url=URLS[name], api_key=key, max_retries=retries, timeout=60, http_client=HTTP)


def embed(name, texts=TEXTS, **options):
    return client(name).embeddings.create(model="bge-m3", input=texts, **options)


def chat(name, content="Who? Answer with JSON.", **options):
    messages = [{"role": "user", "content": content}]
    return client(name).chat.completions.create(model="chat", messages=messages, **options)


def fails(error, call, *arguments, **options):
    try:
        answer = call(*arguments, **options)
    except error as raised:
        assert type(raised) is error, f"{type(raised).__name__} instead of {error.__name__}: {raised}"
        return raised
    raise AssertionError(f"{arguments}: no {error.__name__} but {answer}")


def cosine(one, other):
    return sum(a * b for a, b in zip(one, other, strict=True))


def embeddings():
    base64, floats = embed("plain"), embed("plain", encoding_format="float")
    assert base64.object == "list" and base64.model == "bge-m3"
    assert base64.usage.prompt_tokens == base64.usage.total_tokens > 0
    assert [item.index for item in base64.data] == [0, 1, 2]
    for packed, listed in zip(base64.data, floats.data, strict=True):
        assert packed.object == "embedding" and len(packed.embedding) == 1024
        assert cosine(packed.embedding, listed.embedding) > 0.99999
        assert abs(cosine(packed.embedding, packed.embedding) - 1) < 1e-5
    alice, bob, bakery = (item.embedding for item in base64.data)
    assert cosine(alice, bakery) > cosine(bob, bakery) + 0.2
    assert len(embed("plain", "one text", dimensions=256).data[0].embedding) == 256
    assert len(embed("plain", [[1, 2, 3], [4]]).data) == 2
    assert "bge-m3" in [model.id for model in client("plain").models.list()]


def azure():
    base = URLS["plain"].removesuffix("/v1")
    azure = openai.AzureOpenAI(azure_endpoint=base, api_key="sk-contract", api_version="2024-10-21", max_retries=0)
    assert len(azure.embeddings.create(model="bge-m3", input=TEXTS).data) == 3


def completions():
    strict = {"type": "json_schema", "json_schema": {"name": "person", "strict": True, "schema": SCHEMA}}
    answer = chat("plain", response_format=strict, max_completion_tokens=100)
    choice = answer.choices[0]
    assert answer.object == "chat.completion" and choice.finish_reason == "stop"
    assert choice.message.role == "assistant" and choice.message.refusal is None
    assert json.loads(choice.message.content) == {"name": "Alice", "city": "Berlin"}
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert chat("echo", "Alice bakes. Bob eats.").choices[0].message.content == "Alice bakes."
    cut = chat("echo", "a" * 400, max_tokens=10).choices[0]
    assert cut.finish_reason == "length" and cut.message.content == "a" * 40

    loose = json.loads(json.dumps(strict))
    del loose["json_schema"]["schema"]["additionalProperties"]
    assert "additionalProperties" in fails(openai.BadRequestError, chat, "plain", response_format=loose).message
    assert "'json'" in fails(
        openai.BadRequestError, chat, "plain", "Who?", response_format={"type": "json_object"}
    ).message


def errors():
    limited = fails(openai.RateLimitError, embed, "limited")
    assert limited.code == "rate_limit_exceeded" and limited.type == "requests"
    assert int(limited.response.headers["retry-after"]) == 60
    assert 59_000 < int(limited.response.headers["retry-after-ms"]) <= 60_000
    assert fails(openai.RateLimitError, chat, "quota").code == "insufficient_quota"
    assert fails(openai.AuthenticationError, embed, "keyed").code == "invalid_api_key"
    assert len(client("keyed", "sk-right").embeddings.create(model="bge-m3", input="a").data) == 1
    assert fails(openai.NotFoundError, embed, "no model").code == "model_not_found"
    fails(openai.NotFoundError, client("plain").get, "/nothing", cast_to=object)
    fails(openai.PermissionDeniedError, embed, "forbidden")
    for name in ("500", "502", "503"):
        assert fails(openai.InternalServerError, embed, name).status_code == int(name)
    for texts in ([], [""], ["a"] * 2049, ["a" * 1_200_004]):
        fails(openai.BadRequestError, embed, "plain", texts)
    poisoned = fails(openai.BadRequestError, embed, "poisoned", ["fine", "poison"])
    assert "poison" not in poisoned.message and len(embed("poisoned", ["fine"]).data) == 1


def refusals_of_real_servers():
    tei = fails(openai.UnprocessableEntityError, embed, "tei")
    assert tei.body["message"] == "batch size 3 > maximum allowed batch size 2"
    assert "must have less than 4 tokens. Given: 8" in fails(
        openai.UnprocessableEntityError, embed, "tei", TEXTS[:1]
    ).body["message"]
    assert "physical batch size" in fails(openai.InternalServerError, embed, "llama.cpp").message
    assert "base64" in fails(openai.BadRequestError, embed, "refuses").message
    options = {
        "max_tokens": {"max_tokens": 10},
        "temperature": {"temperature": 0},
        "response_format": {"response_format": {"type": "json_object"}},
    }
    for param, option in options.items():
        assert fails(openai.BadRequestError, chat, "refuses", **option).param == param
    assert "dimensions" in fails(
        openai.BadRequestError, embed, "refuses", encoding_format="float", dimensions=8
    ).message
    assert len(embed("ignores base64").data[0].embedding) == 1024


def connections():
    for name in ("reset", "half body"):
        fails(openai.APIConnectionError, embed, name)
    fails(openai.APITimeoutError, client("hang").with_options(timeout=0.2).embeddings.create, model="m", input="a")


def lies():
    """What the client does not notice is for ours to notice; here only that the lie is told."""

    def lie(name):
        return embed(name, encoding_format="float").data

    assert sorted(item.index for item in lie("shuffled")) == [0, 1, 2]
    assert [item.index for item in lie("shuffled")] != [0, 1, 2]
    right = {item.index: item.embedding for item in lie("shuffled")}
    assert all(right[item.index] == item.embedding for item in lie("plain"))
    assert len(lie("too few")) == 2 and len(lie("too many")) == 4
    assert [item.index for item in lie("duplicate index")] == [0, 1, 1]
    assert len(lie("wrong dimensions")[0].embedding) == 3
    assert lie("nan")[0].embedding[0] is None and math.isnan(embed("nan").data[0].embedding[0])
    assert lie("nan text")[0].embedding[0] == "NaN"
    assert math.isinf(lie("infinite")[0].embedding[0])
    assert not any(lie("zero")[0].embedding)
    zeros = [not any(item.embedding) for item in lie("spoiled")]
    assert zeros == [False, True, False], zeros
    fails(ValueError, embed, "error in success")

    def said(name):
        return chat(name).choices[0]

    fails(json.JSONDecodeError, json.loads, said("truncated").message.content)
    assert said("truncated").finish_reason == "stop" and said("length").finish_reason == "length"
    assert said("filter").finish_reason == "content_filter" and said("filter").message.content is None
    assert said("refusal").message.refusal and said("refusal").message.content is None
    assert "```json\n{" in said("fence").message.content
    assert said("think").message.content.startswith("<think>")
    assert said("empty").message.content == "" and chat("no choices").choices == []


def retries():
    """The client's own retries, by what the endpoint asks for."""
    raw = client("recovers", retries=2).embeddings.with_raw_response.create(model="bge-m3", input="a")
    assert raw.retries_taken == 2, raw.retries_taken


def process():
    """The endpoint as a process of its own, with its flags."""
    assert len(embed("process").data[0].embedding) == 64
    fails(openai.RateLimitError, embed, "process")


for check in (
    embeddings, azure, completions, errors, refusals_of_real_servers, connections, lies, retries, process,
):
    check()
