//! Finding what the store holds, by words and by a vector that is given: whatever somebody has stored or asks for.

use anyhow::Context;
use zerodb_hooks_harness::{Database, Result, Session, on_every_server};

async fn store(database: &Database) -> Result<Session> {
    let session = database.session().await?;
    session.run("SELECT zerodb.create_store(dimensions => 3)").await?;
    Ok(session)
}

/// The guide's index for the search by words.
fn index() -> Result<String> {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/guide/memory.md"))?;
    let from = page
        .find("CREATE INDEX ON zerodb_store.zeromemory USING gin")
        .context("the guide has the index")?;
    let to = page[from..].find(';').context("a whole statement")?;
    Ok(page[from..from + to].to_owned())
}

/// Texts of which the bare `to_tsvector` would raise, or not end.
const LARGE: [&str; 4] = [
    // Different words, a megabyte and more.
    "(SELECT string_agg(md5(i::text), ' ') FROM generate_series(1, 40000) AS i)",
    // Pairs of letters of four bytes: more bytes of words and places for a character than any other text.
    "(SELECT string_agg(chr(131072 + i * 7 % 40000) || chr(131072 + i * 13 % 40000) || '-' || chr(131072 + i * 31 % 40000), ' ') FROM generate_series(1, 60000) AS i)",
    // One letter that is eighteen in another form.
    "repeat(U&'\\FDFA' || ' ', 300000)",
    // A single word, on which the parser begins again at each letter.
    "repeat('a_', 500000)",
];

#[tokio::test]
async fn no_text_makes_the_search_of_others_fail() -> Result<()> {
    on_every_server(async |database| {
        let session = store(&database).await?;
        session
            .run("SELECT zerodb.remember('Alice met Bob in Berlin', 'alice')")
            .await?;
        for text in LARGE {
            session
                .run(&format!("SELECT zerodb.remember({text}, 'log')"))
                .await?;
        }
        let found = "SELECT content FROM zerodb.recall('Berlin')";
        assert_eq!(session.texts(found).await?, ["Alice met Bob in Berlin"]);
        // The beginning of a long text is found too.
        let first = "SELECT left(content, 32) FROM zerodb.recall(md5('7'))";
        assert_eq!(
            session.texts(first).await?,
            [session.text("SELECT md5('1')").await?]
        );
        session.run(&index()?).await?;
        for text in LARGE {
            session
                .run(&format!("SELECT zerodb.remember({text}, 'log')"))
                .await?;
        }
        assert_eq!(session.texts(found).await?, ["Alice met Bob in Berlin"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_index_of_the_guide_serves_the_search() -> Result<()> {
    on_every_server(async |database| {
        let session = store(&database).await?;
        session.run(&index()?).await?;
        session
            .run("INSERT INTO zerodb_store.zeromemory (content, entity_id) SELECT 'memory ' || md5(i::text), 'x' FROM generate_series(1, 2000) AS i;
                 ANALYZE zerodb_store.zeromemory")
            .await?;
        session.run("SELECT zerodb.recall(md5('7')); SELECT pg_stat_force_next_flush()").await?;
        let used = "SELECT idx_scan FROM pg_stat_user_indexes WHERE relname = 'zeromemory' AND indexrelname NOT LIKE '%key' AND indexrelname LIKE '%to_tsvector%'";
        assert_eq!(session.number(used).await?, 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn words_are_found_in_whatever_form_they_are_written() -> Result<()> {
    on_every_server(async |database| {
        let session = store(&database).await?;
        for (stored, asked) in [
            ("the caf\u{E9} is closed", "cafe\u{301}"),
            ("the re\u{301}sume\u{301} of Bob", "r\u{E9}sum\u{E9}"),
            ("the \u{FB01}nancial o\u{FB03}ce", "financial office"),
            ("Donau\u{AD}dampf\u{200B}schiff", "Donaudampfschiff"),
            ("Wertpapierhaus", "Wert\u{AD}papier\u{2060}haus"),
            ("می\u{200C}خواهم", "میخواهم"),
            ("ＰｏｓｔｇｒｅＳＱＬ １８", "postgresql"),
            ("chunk_tokens in C:\\temp", "chunk_tokens"),
            ("it's Ann's 'quoted' \\ house", "ann's \\ 'quoted'"),
        ] {
            session
                .client
                .execute("SELECT zerodb.remember($1, 'x')", &[&stored])
                .await?;
            let rows = session
                .client
                .query("SELECT content FROM zerodb.recall($1, 1)", &[&asked])
                .await?;
            let content: Option<&str> = rows.first().map(|row| row.get(0));
            assert_eq!(content, Some(stored), "{asked}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_question_is_answered_or_refused() -> Result<()> {
    on_every_server(async |database| {
        let session = store(&database).await?;
        session
            .run("SELECT zerodb.remember('Alice met Bob in Berlin', 'alice')")
            .await?;
        for (question, rows) in [
            ("'Berlin'", 1),
            ("'who is the of and'", 0),
            ("'?!... --- ***'", 0),
            ("$$a & b | !c <-> (d) :* 'x' \\\\ \"$$", 0),
            ("repeat('Berlin conference ', 6000)", 1),
            // Of many different words the first are looked for.
            (
                "'Berlin ' || (SELECT string_agg(md5(i::text), ' ') FROM generate_series(1, 30000) AS i)",
                1,
            ),
            ("'Berlin ' || repeat('a_', 400000)", 1),
        ] {
            let count = session
                .number(&format!("SELECT count(*) FROM zerodb.recall({question})"))
                .await?;
            assert_eq!(count, rows, "{question}");
        }
        for (arguments, hint) in [
            ("''", "Say what"),
            ("'x', 0", "Give 1 to 1000"),
            (
                "(SELECT string_agg(md5(i::text), ' ') FROM generate_series(1, 60000) AS i)",
                "Ask for",
            ),
            ("'x', query_embedding => '{1,NaN,0}'", "Embed the query again"),
            (
                "'x', query_embedding => '{1,Infinity,0}'",
                "Embed the query again",
            ),
            ("'x', query_embedding => '{1,NULL,0}'", "Embed the query again"),
            ("'x', query_embedding => '{1,0}'", "Embed the query"),
        ] {
            let error = session
                .error(&format!("SELECT zerodb.recall({arguments})"))
                .await?;
            assert_eq!(error.code, "22023", "{arguments}: {}", error.message);
            assert!(error.hint.unwrap_or_default().starts_with(hint), "{arguments}");
        }
        let error = session
            .error("SELECT zerodb.remember('x', repeat(md5('a'), 100))")
            .await?;
        assert_eq!(error.code, "22023", "{}", error.message);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn vectors_without_a_direction_are_like_nothing() -> Result<()> {
    on_every_server(async |database| {
        let session = store(&database).await?;
        session
            .run("INSERT INTO zerodb_store.zeromemory (content, entity_id, embedding) VALUES ('zero', 'x', '{0,0,0}'::real[]), ('one', 'x', '{1,0,0}'::real[])")
            .await?;
        let found = |arguments: &str| format!("SELECT content || ' ' || found_by FROM zerodb.recall({arguments})");
        assert_eq!(session.texts(&found("'zzz', query_embedding => '{1,0,0}'")).await?, ["one vector"]);
        assert_eq!(session.texts(&found("'zero', query_embedding => '{0,0,0}'")).await?, ["zero words"]);
        let warnings = session.take_warnings();
        assert!(warnings.iter().any(|warning| warning.message.contains("all zeros")), "{warnings:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_name_of_the_graph_has_room_in_its_indexes() -> Result<()> {
    on_every_server(async |database| {
        let session = store(&database).await?;
        session
            .run("INSERT INTO zerodb_store.entities (canonical_name, norm_name)
                 SELECT n, zerodb._norm_name(n) FROM (SELECT string_agg(chr(64256 + i % 1000) || chr(131072 + i * 7), '') AS n FROM generate_series(1, 256) AS i) AS s")
            .await?;
        let length = "SELECT max(length(norm_name)) FROM zerodb_store.entities";
        assert!(session.number(length).await? <= 512);
        Ok(())
    })
    .await
}
