//! Pages on their way into the store: text of the database is not decoded again, and what is stored is what a reader
//! reads.

use anyhow::Result;
use zerodb_hooks_harness::on_every_server;

use crate::auto_summarize::{file, summarized_store};
use crate::setup::worker;

const WORDS: &str = "Налоговая служба открывается в девять.";

#[tokio::test(flavor = "multi_thread")]
async fn text_of_the_database_is_not_decoded_a_second_time() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        summarized_store(&session, "{}").await?;
        let _worker = worker(&database)?;
        let insert =
            "INSERT INTO zerodb_store.files (id, file_name, content_type, content) VALUES ($1, $2, $3, $4)";
        let metas = [
            "windows-1251",
            "iso-8859-1",
            "utf-16",
            "shift_jis",
            "nobody-knows",
        ];
        let mut count = 0;
        for meta in metas {
            let html = format!("<html><head><meta charset={meta}></head><body><p>{WORDS}</p></body></html>");
            let xhtml = format!("<?xml version=\"1.0\" encoding=\"{meta}\"?>\n<!-- saved -->\n{html}");
            for (name, content_type, content) in [
                ("a.html", "text/html", &html),
                ("a.html", "text/html; charset=windows-1251", &html),
                ("a.txt", "text/plain", &html),
                ("a", "application/xhtml+xml", &xhtml),
                ("a", "text/plain; charset=koi8-r", &xhtml),
            ] {
                count += 1;
                session
                    .client
                    .execute(insert, &[&count.to_string(), &name, &content_type, content])
                    .await?;
            }
        }
        session
            .client
            .execute(
                insert,
                &[&"words", &"a.txt", &"text/plain; charset=koi8-r", &WORDS],
            )
            .await?;
        let read = format!("SELECT count(*) FROM zerodb_store.files WHERE summary = '{WORDS}'");
        session.becomes(&read, count + 1).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_of_a_page_are_words_and_found_by_them() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        session
            .run("SELECT zerodb.create_store(dimensions => 64); SELECT zerodb.create_hook('zerodb.file.uploaded', 'auto_embed')")
            .await?;
        let _worker = worker(&database)?;
        let page = "<html><h1>Settings</h1><p># max_length [see 1]<br>The Donau&shy;dampf&#8203;schiff.</p></html>";
        let insert = "INSERT INTO zerodb_store.files (id, file_name, content) VALUES ('page', 'a.html', $1)";
        session.client.execute(insert, &[&page]).await?;
        session.becomes("SELECT count(*) FROM zerodb_store.file_chunks", 1).await?;
        assert_eq!(
            session.texts("SELECT content || ' / ' || heading FROM zerodb_store.file_chunks").await?,
            ["# Settings\n\n# max_length [see 1]\nThe Donaudampfschiff. / Settings"]
        );
        for question in ["max_length", "Donaudampfschiff"] {
            let found = format!("SELECT count(*) FROM zerodb.recall('{question}', source => 'files') WHERE found_by IN ('words', 'both')");
            assert_eq!(session.number(&found).await?, 1, "{question}");
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_encoding_is_not_clear_asks_for_it() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        summarized_store(&session, "{}").await?;
        let _worker = worker(&database)?;
        let insert = "INSERT INTO zerodb_store.files (id, file_name, content_type, content_bytes) VALUES ($1, 'a.txt', $2, $3)";
        for (id, content_type, bytes) in [
            ("unknown_encoding", "text/plain", &b"\xC4\xE0"[..]),
            ("unknown_charset", "text/plain; charset=klingon", b"words"),
            ("said", "text/plain; charset=windows-1251", b"\xC4\xE0"),
        ] {
            session.client.execute(insert, &[&id, &content_type, &bytes]).await?;
        }
        session.becomes("SELECT count(*) FROM zerodb.deliveries WHERE state IN ('discarded', 'completed')", 3).await?;
        let errors = session
            .texts("SELECT split_part(last_error, ':', 1) FROM zerodb.deliveries WHERE state = 'discarded' AND last_error LIKE '%text/plain; charset=%' ORDER BY 1")
            .await?;
        assert_eq!(errors, ["unknown_charset", "unknown_encoding"]);
        assert_eq!(file(&session, "said").await?["summary"], "Да");
        Ok(())
    })
    .await
}
