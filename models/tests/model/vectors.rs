//! The vectors are those of sentence-transformers, for each family of models. The stored ones, the texts and the small
//! models are made by `reference/make.py`; the weights of all-MiniLM are fetched by `dev/models.sh`.

use std::sync::atomic::AtomicBool;

use crate::files::{copy, cosine, minilm, reference, texts, tiny};
use zerodb_hooks_models::Model;

/// Every vector points where that of the reference does, and has length one.
fn assert_same(model: &Model, reference: &[Vec<f32>]) {
    let texts = texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let vectors = model.embed(&texts, &AtomicBool::new(false)).unwrap();
    assert_eq!(vectors.len(), texts.len());
    for ((text, vector), expected) in texts.iter().zip(&vectors).zip(reference) {
        assert_eq!(vector.len(), model.dimensions());
        assert!((cosine(vector, vector) - 1.0).abs() < 1e-5);
        let cosine = cosine(vector, expected);
        assert!(
            cosine >= 0.9999,
            "cosine {cosine} for {:?}",
            text.chars().take(60).collect::<String>()
        );
    }
}

#[test]
fn minilm_has_the_vectors_of_the_reference() {
    let model = Model::open(&minilm()).unwrap();
    assert_eq!(
        (model.name(), model.dimensions(), model.max_tokens()),
        ("all-MiniLM-L6-v2", 384, 256)
    );
    assert_same(&model, &reference("all-MiniLM-L6-v2.f32", 384));
}

#[test]
fn xlm_roberta_in_shards_has_the_vectors_of_the_reference() {
    let model = Model::open(&tiny("xlm-roberta")).unwrap();
    assert_eq!((model.dimensions(), model.max_tokens()), (32, 128));
    assert_same(&model, &reference("tiny-xlm-roberta/vectors.f32", 32));
}

#[test]
fn roberta_with_the_mean_has_the_vectors_of_the_reference() {
    let model = Model::open(&tiny("roberta")).unwrap();
    assert_eq!((model.dimensions(), model.max_tokens()), (24, 64));
    assert_same(&model, &reference("tiny-roberta/vectors.f32", 24));
}

#[test]
fn bert_of_half_precision_with_the_first_token_has_the_vectors_of_the_reference() {
    let model = Model::open(&tiny("bert-half")).unwrap();
    assert_eq!((model.dimensions(), model.max_tokens()), (20, 80));
    assert_same(&model, &reference("tiny-bert-half/vectors.f32", 20));
}

#[test]
fn without_the_files_of_sentence_transformers_the_family_decides() {
    for (name, width) in [("xlm-roberta", 32), ("roberta", 24)] {
        let bare = copy(&tiny(name));
        for file in [
            "modules.json",
            "sentence_bert_config.json",
            "1_Pooling/config.json",
        ] {
            std::fs::remove_file(bare.path().join(file)).unwrap();
        }
        let model = Model::open(bare.path()).unwrap();
        assert_same(&model, &reference(&format!("tiny-{name}/vectors.f32"), width));
    }
}

#[test]
fn a_vector_does_not_depend_on_what_else_is_embedded_nor_on_the_threads() {
    let texts = texts();
    for threads in [1, 2, 5] {
        let model = Model::open_with_threads(&tiny("xlm-roberta"), threads).unwrap();
        let expected = reference("tiny-xlm-roberta/vectors.f32", 32);
        for (text, expected) in texts.iter().zip(&expected) {
            let alone = model.embed(&[text], &AtomicBool::new(false)).unwrap();
            assert!(cosine(&alone[0], expected) >= 0.9999, "{threads} threads");
        }
        assert_same(&model, &expected);
    }
}
