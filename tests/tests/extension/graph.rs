//! The graph: what memories say is written, kept apart by tenant, retracted exactly, and read back by neighbours. The
//! actions are called as the store's owner calls them; what a handler extracts is given by the tests.

mod facts;
mod merging;
mod names;
mod neighbors;
mod provenance;
mod writers;

use serde_json::{Value, json};
use zerodb_hooks_harness::{Database, Result, Session};

use crate::{ALICE, PROJECT};

/// A store with three dimensions, and one tenant's way to it.
struct Graph {
    session: Session,
    user: Option<&'static str>,
    project: Option<&'static str>,
    table: &'static str,
}

impl Graph {
    async fn create(db: &Database) -> Result<Self> {
        let session = db.session().await?;
        if db.major() == 18 {
            session.run("CREATE EXTENSION IF NOT EXISTS vector").await?;
        }
        session.run("SELECT zerodb.create_store(dimensions => 3)").await?;
        Self::of(session, Some(ALICE)).await
    }

    /// The same store for another user, or through another connection.
    async fn of(session: Session, user: Option<&'static str>) -> Result<Self> {
        let graph = Self {
            session,
            user,
            project: Some(PROJECT),
            table: "zerodb_store.memories",
        };
        graph
            .run(&format!(
                "SET zerodb.user_id = '{}'; SET zerodb.project_id = '{PROJECT}'",
                user.unwrap_or_default()
            ))
            .await?;
        Ok(graph)
    }

    async fn run(&self, sql: &str) -> Result<()> {
        self.session.run(sql).await
    }

    /// Stores a memory, or changes its content.
    async fn remember(&self, id: &str, content: &str, at: &str) -> Result<()> {
        self.run(&format!(
            "INSERT INTO {} (id, content, created_at) VALUES ('{id}', '{content}', '{at}')
            ON CONFLICT (id) DO UPDATE SET content = excluded.content",
            self.table
        ))
        .await
    }

    /// Calls an action on a memory.
    async fn act(&self, action: &str, id: &str, more: Value) -> Result<Value> {
        let mut args = json!({"memory_id": id, "user_id": self.user, "project_id": self.project});
        if let (Some(args), Some(more)) = (args.as_object_mut(), more.as_object()) {
            args.extend(more.clone());
        }
        let vectors = match args.as_object_mut().and_then(|args| args.remove("vectors")) {
            Some(vectors) => format!("'{{{}}}'", vectors.to_string().trim_matches(['[', ']'])),
            None => "NULL".into(),
        };
        self.session
            .json(&format!(
                "SELECT zerodb._do_graph_{action}('{{}}', '{}'::regclass, '{args}', {vectors})",
                self.table
            ))
            .await
    }

    /// A memory that says what is given, as if it had been extracted. Entities as `name:type/alias/…`, facts as
    /// `subject PREDICATE object` by place, with `since` and `until` as years behind.
    async fn says_at(&self, id: &str, at: &str, entities: &[&str], facts: &[&str]) -> Result<Value> {
        self.remember(id, &format!("{} {}", entities.join(" "), facts.join(" ")), at)
            .await?;
        let read = self.act("read", id, json!({})).await?;
        let written = json!({
            "content_hash": read["content_hash"], "prompt_version": 1, "model": "test",
            "entities": entities.iter().map(|entity| named(entity)).collect::<Vec<_>>(),
            "relations": facts.iter().map(|fact| stated(fact)).collect::<Vec<_>>(),
        });
        self.act("write", id, written).await
    }

    async fn says(&self, id: &str, entities: &[&str], facts: &[&str]) -> Result<Value> {
        self.says_at(id, "2020-01-01", entities, facts).await
    }

    /// Deletes a memory, and takes back what it said.
    async fn forget(&self, id: &str) -> Result<Value> {
        self.run(&format!("DELETE FROM {} WHERE id = '{id}'", self.table))
            .await?;
        self.act("retract", id, json!({})).await
    }

    /// What is true now, as `subject PREDICATE object`.
    async fn facts(&self) -> Result<Vec<String>> {
        self.list(
            "SELECT s.canonical_name || ' ' || r.predicate || ' ' || t.canonical_name FROM zerodb_store.relations AS r
            JOIN zerodb_store.entities AS s ON s.id = r.source_id JOIN zerodb_store.entities AS t ON t.id = r.target_id
            WHERE r.expired_at IS NULL",
        )
        .await
    }

    /// Live entities, as `name:type`.
    async fn entities(&self) -> Result<Vec<String>> {
        self.list("SELECT canonical_name || ':' || entity_type FROM zerodb_store.entities WHERE merged_into IS NULL").await
    }

    /// Every row of the graph, with its times.
    async fn everything(&self) -> Result<Vec<String>> {
        let tables = [
            "entities",
            "entity_aliases",
            "relations",
            "mentions",
            "relation_sources",
            "extractions",
        ]
        .map(|table| format!("SELECT '{table} ' || to_jsonb(t)::text FROM zerodb_store.{table} AS t"));
        self.list(&tables.join(" UNION ALL ")).await
    }

    async fn list(&self, sql: &str) -> Result<Vec<String>> {
        let mut found = self.session.texts(sql).await?;
        found.sort();
        Ok(found)
    }
}

fn named(entity: &str) -> Value {
    let mut aliases = entity.split('/');
    let (name, kind) = aliases
        .next()
        .and_then(|first| first.split_once(':'))
        .unwrap_or((entity, "entity"));
    json!({"name": name, "type": kind, "aliases": aliases.collect::<Vec<_>>()})
}

fn stated(fact: &str) -> Value {
    let words: Vec<_> = fact.split(' ').collect();
    let place = |at: usize| words[at].parse::<u32>().expect("a place");
    let year = |at: usize| {
        words
            .get(at)
            .filter(|year| **year != "-")
            .map(|year| format!("{year}-01-01T00:00:00Z"))
    };
    json!({"s": place(0), "p": words[1], "o": place(2), "fact": fact, "confidence": 0.9, "valid_at": year(3), "invalid_at": year(4)})
}
