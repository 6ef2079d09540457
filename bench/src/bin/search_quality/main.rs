//! How well texts are found: recall and rank of the labelled passages of `bench/search`, for BM25, for the embedding of
//! the `local` provider, for a model, and for BM25 fused with either: `search_quality SET MODEL`, two directories.
//! It prints one Markdown table. It asserts nothing, and reads nothing but the two directories.

mod bm25;
mod figures;
mod ranking;

use std::path::Path;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use zerodb_hooks_models::Model;

use bm25::Bm25;
use figures::{Figures, Found};
use ranking::{Ranking, by_cosine, fuse};

/// What the `local` provider gives for a column of its usual width.
const LOCAL_DIMENSIONS: usize = 1024;
/// So many texts go to the model at once.
const BATCH: usize = 64;

#[derive(Deserialize)]
struct Passage {
    id: String,
    title: String,
    text: String,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Words,
    Paraphrase,
}

#[derive(Deserialize)]
struct Query {
    query: String,
    kind: Kind,
    passages: Vec<String>,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [set, model] = arguments.as_slice() else {
        bail!("usage: search_quality SET MODEL");
    };
    let passages: Vec<Passage> = lines(&Path::new(set).join("passages.jsonl"))?;
    let queries: Vec<Query> = lines(&Path::new(set).join("queries.jsonl"))?;
    let texts: Vec<String> = passages
        .iter()
        .map(|passage| format!("{}\n{}", passage.title, passage.text))
        .collect();
    let model = Model::open(Path::new(model))?;
    tell_size(&passages, &queries, &texts, &model)?;

    let index = Bm25::new(&texts);
    let bm25: Vec<Ranking> = queries.iter().map(|query| index.ranking(&query.query)).collect();
    let local = rankings(&texts, &queries, local)?;
    let minilm = rankings(&texts, &queries, |texts| embed(&model, texts))?;
    let rows = [
        ("BM25".to_owned(), bm25.clone()),
        (format!("local, {LOCAL_DIMENSIONS}"), local.clone()),
        (model.name().to_owned(), minilm.clone()),
        ("BM25 and local".to_owned(), fuse_all(&bm25, &local)),
        (format!("BM25 and {}", model.name()), fuse_all(&bm25, &minilm)),
    ];
    println!("| | words: recall@5 | MRR@10 | paraphrase: recall@5 | MRR@10 | all: recall@5 | MRR@10 |");
    println!("|---|---|---|---|---|---|---|");
    for (name, rankings) in &rows {
        println!("| {name} {}|", cells(&found(&passages, &queries, rankings)?));
    }
    Ok(())
}

/// One value of each line of a file.
fn lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    text.lines()
        .enumerate()
        .map(|(line, text)| {
            serde_json::from_str(text).with_context(|| format!("{}, line {}", path.display(), line + 1))
        })
        .collect()
}

fn tell_size(passages: &[Passage], queries: &[Query], texts: &[String], model: &Model) -> Result<()> {
    let mut cut = 0;
    for text in texts {
        cut += usize::from(model.count_tokens(text)? > model.max_tokens());
    }
    eprintln!(
        "{} passages, {} queries; {} cuts {cut} passages at {} tokens",
        passages.len(),
        queries.len(),
        model.name(),
        model.max_tokens()
    );
    Ok(())
}

fn local(texts: &[&str]) -> Result<Vec<Vec<f32>>> {
    let embed = |text: &&str| zerodb_hooks_lexical::embed(text, LOCAL_DIMENSIONS);
    Ok(texts.iter().map(embed).collect())
}

fn embed(model: &Model, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
    let mut vectors = Vec::with_capacity(texts.len());
    for batch in texts.chunks(BATCH) {
        vectors.extend(model.embed(batch, &AtomicBool::new(false))?);
    }
    Ok(vectors)
}

/// All passages for each query, by the exact cosine of the vectors that `embed` gives.
fn rankings(
    texts: &[String],
    queries: &[Query],
    embed: impl Fn(&[&str]) -> Result<Vec<Vec<f32>>>,
) -> Result<Vec<Ranking>> {
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let queries: Vec<&str> = queries.iter().map(|query| query.query.as_str()).collect();
    let passages = embed(&texts)?;
    let queries = embed(&queries)?;
    Ok(queries.iter().map(|query| by_cosine(query, &passages)).collect())
}

fn fuse_all(one: &[Ranking], other: &[Ranking]) -> Vec<Ranking> {
    one.iter()
        .zip(other)
        .map(|(one, other)| fuse(&[one, other]))
        .collect()
}

/// For each query its kind, and the place of the first passage that is labelled.
fn found(passages: &[Passage], queries: &[Query], rankings: &[Ranking]) -> Result<Vec<(Kind, Found)>> {
    let found = |(query, ranking): (&Query, &Ranking)| {
        for id in &query.passages {
            let known = passages.iter().any(|passage| passage.id == *id);
            ensure!(
                known,
                "{:?} names the passage {id}, which is not there",
                query.query
            );
        }
        let labelled = |&passage: &usize| query.passages.contains(&passages[passage].id);
        Ok((query.kind, ranking.iter().position(labelled)))
    };
    queries.iter().zip(rankings).map(found).collect()
}

fn cells(found: &[(Kind, Found)]) -> String {
    let of = |kind: Option<Kind>| {
        let found: Vec<Found> = found
            .iter()
            .filter(|(of, _)| kind.is_none_or(|kind| kind == *of))
            .map(|(_, place)| *place)
            .collect();
        Figures::of(&found).cells()
    };
    of(Some(Kind::Words)) + &of(Some(Kind::Paraphrase)) + &of(None)
}
