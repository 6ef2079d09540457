//! Search over what the acts before have stored: by the vectors that auto_embed has made, and by words.

use anyhow::{Context, Result};

use crate::screen::{self, Tone};
use crate::stage::Stage;

const RECALL: &str = "
SELECT content, similarity, found_by, score FROM zerodb.recall($1, 3, namespace => 'default')";

/// Questions, each with a word that every right answer has.
const QUESTIONS: [(&str, &str); 2] = [
    ("what happens when a write is rolled back?", "rolled"),
    ("where are secrets kept?", "secret"),
];

pub async fn play(stage: &mut Stage) -> Result<()> {
    screen::section(
        "Search: zerodb.recall() over the memories",
        &[
            "By vectors of the local provider and by words, joined by their ranks. The similarity is the vectors' cosine.",
        ],
    );
    for (question, word) in QUESTIONS {
        screen::row(Tone::Title, "ask", &format!("recall('{question}', 3)"), "");
        let found = stage
            .session
            .client
            .query(RECALL, &[&question])
            .await
            .context("recall")?;
        let mut fits = false;
        for row in &found {
            let (content, similarity, by): (String, Option<f32>, String) =
                (row.get(0), row.get(1), row.get(2));
            let similarity = similarity.map_or_else(String::new, |cosine| format!("{cosine:.2}"));
            fits |= content.to_lowercase().contains(word);
            screen::row(Tone::Good, &by, &screen::clip(&content, 75), &similarity);
        }
        stage.expect(fits, || {
            format!("nothing that was found for '{question}' speaks of it")
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts;

    #[test]
    fn some_paragraph_speaks_of_what_each_question_asks() {
        let paragraphs: Vec<String> = texts::documents().iter().flat_map(texts::paragraphs).collect();
        for (question, word) in QUESTIONS {
            let speaks = paragraphs.iter().any(|text| text.to_lowercase().contains(word));
            assert!(speaks, "{question}");
        }
    }
}
