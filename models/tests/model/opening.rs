//! A directory that is no model, or not one that is computed rightly, is refused with what to do about it.

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use crate::files::{copy, tiny};
use tempfile::TempDir;
use zerodb_hooks_models::{Model, ModelError};

/// Opens a copy of a small model that `damage` was done to.
fn open(name: &str, damage: impl FnOnce(&Path)) -> Result<Model, ModelError> {
    let directory = copy(&tiny(name));
    damage(directory.path());
    Model::open(directory.path())
}

fn refusal(name: &str, damage: impl FnOnce(&Path)) -> ModelError {
    open(name, damage).err().expect("the model was opened")
}

/// Replaces one piece of text in a file, which must be there.
fn replace(directory: &Path, file: &str, from: &str, to: &str) {
    let path = directory.join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file} has no {from}");
    fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn a_missing_file_is_named() {
    let empty = TempDir::new().unwrap();
    let error = Model::open(empty.path()).err().unwrap();
    assert!(
        matches!(&error, ModelError::MissingFile { path, .. } if path.ends_with("config.json")),
        "{error}"
    );
    for file in ["tokenizer.json", "model.safetensors"] {
        let error = refusal("roberta", |model| fs::remove_file(model.join(file)).unwrap());
        assert!(
            matches!(&error, ModelError::MissingFile { path, .. } if path.ends_with(file)),
            "{error}"
        );
    }
    let shard = "model-00002-of-00003.safetensors";
    let error = refusal("xlm-roberta", |model| fs::remove_file(model.join(shard)).unwrap());
    assert!(
        matches!(&error, ModelError::MissingFile { path, .. } if path.ends_with(shard)),
        "{error}"
    );
}

#[test]
fn weights_in_the_old_format_are_to_be_converted() {
    let error = refusal("roberta", |model| {
        fs::rename(model.join("model.safetensors"), model.join("pytorch_model.bin")).unwrap();
    });
    assert!(error.to_string().contains("save_pretrained"), "{error}");
}

#[test]
fn what_would_be_computed_wrongly_is_not_supported() {
    let cases = [
        (
            "config.json",
            r#""roberta""#,
            r#""distilbert""#,
            "model_type distilbert",
        ),
        ("config.json", r#""gelu""#, r#""relu""#, "hidden_act relu"),
        (
            "1_Pooling/config.json",
            r#""mean""#,
            r#""max""#,
            "pooling_mode max",
        ),
        (
            "1_Pooling/config.json",
            r#""mean""#,
            r#"["cls", "mean"]"#,
            "pooling_mode",
        ),
        (
            "modules.json",
            "normalize.Normalize",
            "dense.Dense",
            "module sentence_transformers.base.modules.dense.Dense",
        ),
        (
            "config_sentence_transformers.json",
            r#""default_prompt_name": null"#,
            r#""default_prompt_name": "query""#,
            "default_prompt_name query",
        ),
    ];
    for (file, from, to, named) in cases {
        let error = refusal("roberta", |model| replace(model, file, from, to));
        assert!(matches!(error, ModelError::Unsupported { .. }), "{error}");
        assert!(error.to_string().starts_with(named), "{error}");
    }
}

#[test]
fn a_damaged_file_is_named() {
    let error = refusal("roberta", |model| {
        fs::write(model.join("config.json"), "{").unwrap()
    });
    assert!(
        matches!(&error, ModelError::BadConfig { path, .. } if path.ends_with("config.json")),
        "{error}"
    );
    let error = refusal("roberta", |model| {
        replace(model, "config.json", r#"heads": 3"#, r#"heads": 5"#)
    });
    assert!(matches!(error, ModelError::BadConfig { .. }), "{error}");
    let error = refusal("roberta", |model| {
        fs::write(model.join("tokenizer.json"), "[]").unwrap()
    });
    assert!(matches!(error, ModelError::BadTokenizer { .. }), "{error}");
    for bytes in [0, 7, 5_000] {
        let error = refusal("roberta", |model| {
            let weights = fs::read(model.join("model.safetensors")).unwrap();
            fs::write(model.join("model.safetensors"), &weights[..bytes]).unwrap();
        });
        assert!(matches!(error, ModelError::BadWeights { .. }), "{error}");
    }
}

#[test]
fn weights_of_another_model_are_refused_with_the_tensor_and_its_shapes() {
    let another = |from: &str, to: &str| refusal("roberta", |model| replace(model, "config.json", from, to));
    let error = another(r#""num_hidden_layers": 2"#, r#""num_hidden_layers": 3"#);
    assert!(
        error
            .to_string()
            .contains("encoder.layer.2.attention.self.query.weight"),
        "{error}"
    );
    assert!(matches!(error, ModelError::MissingTensor { .. }));
    let error = another(r#""intermediate_size": 40"#, r#""intermediate_size": 44"#);
    for part in [
        "encoder.layer.0.intermediate.dense.weight",
        "[40, 24]",
        "[44, 24]",
    ] {
        assert!(error.to_string().contains(part), "{error}");
    }
    assert!(matches!(error, ModelError::BadTensor { .. }));
}

#[test]
fn a_tokenizer_with_tokens_that_the_weights_do_not_have_is_refused() {
    let error = refusal("roberta", |model| {
        fs::copy(
            tiny("xlm-roberta").join("tokenizer.json"),
            model.join("tokenizer.json"),
        )
        .unwrap();
        replace(
            model,
            "config.json",
            r#""vocab_size": 500"#,
            r#""vocab_size": 300"#,
        );
    });
    assert!(matches!(error, ModelError::BadTokenizer { .. }), "{error}");
}

#[test]
fn weights_that_are_no_numbers_give_an_error_and_no_vector() {
    let model = open("bert-half", |model| {
        let path = model.join("model.safetensors");
        let mut bytes = fs::read(&path).unwrap();
        let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        bytes[8 + header..]
            .chunks_exact_mut(2)
            .for_each(|number| number.copy_from_slice(&[0x00, 0x7e]));
        fs::write(path, bytes).unwrap();
    });
    let error = model.unwrap().embed(&["a"], &AtomicBool::new(false)).unwrap_err();
    assert!(matches!(error, ModelError::NotADirection { index: 0 }), "{error}");
}
