//! An open model as its caller sees it: order, length, tokens, cancelling, sharing.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::files::{cosine, minilm, tiny};
use zerodb_hooks_models::{Model, ModelError};

static NEVER: AtomicBool = AtomicBool::new(false);

#[test]
fn tokens_are_counted_beyond_the_length_that_the_model_reads() {
    let model = Model::open(&minilm()).unwrap();
    // Two special tokens, four words and a full stop.
    assert_eq!(model.count_tokens("Alice lives in Berlin.").unwrap(), 7);
    assert_eq!(model.count_tokens("").unwrap(), 2);
    assert_eq!(model.count_tokens(&"river ".repeat(10_000)).unwrap(), 10_002);
}

#[test]
fn what_is_near_in_meaning_is_near() {
    let model = Model::open(&minilm()).unwrap();
    let texts = [
        "How do I reset my password?",
        "To set a new password, open the settings.",
        "The river is cold in the morning.",
    ];
    let vectors = model.embed(&texts, &NEVER).unwrap();
    assert!(cosine(&vectors[0], &vectors[1]) > cosine(&vectors[0], &vectors[2]) + 0.3);
}

#[test]
fn a_text_of_many_megabytes_has_the_vector_of_its_beginning() {
    let model = Model::open(&tiny("xlm-roberta")).unwrap();
    // The places where one endless word is cut into tokens depend on its length.
    assert_eq!(model.embed(&[&"x".repeat(1 << 20)], &NEVER).unwrap().len(), 1);
    for piece in ["A small stone bridge. ", "これは長い文章です。", " \n\t "] {
        let (long, longer) = (piece.repeat(3_000), piece.repeat(8 << 20 >> 3));
        let vectors = model.embed(&[&long, &longer], &NEVER).unwrap();
        assert!(cosine(&vectors[0], &vectors[1]) > 0.9999, "{piece:?}");
    }
}

#[test]
fn no_texts_give_no_vectors() {
    assert!(
        Model::open(&tiny("roberta"))
            .unwrap()
            .embed(&[], &NEVER)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_cancelled_call_ends_with_an_error() {
    let model = Model::open(&minilm()).unwrap();
    let text = "river ".repeat(300);
    // An hour of work if it were done to its end.
    let texts = vec![text.as_str(); 100_000];
    let cancel = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let call = scope.spawn(|| model.embed(&texts, &cancel));
        cancel.store(true, Ordering::Relaxed);
        assert!(matches!(call.join().unwrap(), Err(ModelError::Cancelled)));
    });
    assert_eq!(model.embed(&["again"], &NEVER).unwrap().len(), 1);
}

#[test]
fn a_model_is_shared_by_threads() {
    let model = Model::open(&tiny("xlm-roberta")).unwrap();
    let texts: Vec<String> = (0..40).map(|number| format!("text number {number}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let expected = model.embed(&texts, &NEVER).unwrap();
    std::thread::scope(|scope| {
        let calls: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| model.embed(&texts, &NEVER).unwrap()))
            .collect();
        for call in calls {
            for (found, expected) in call.join().unwrap().iter().zip(&expected) {
                assert!(cosine(found, expected) > 0.99999);
            }
        }
    });
}
