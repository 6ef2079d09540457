//! The summary of a text by a model: by one question where the text fits, else part by part. Decides nothing about attempts.

use super::asking::{Asker, Question, Said};
use super::pieces::{chosen, evenly, outline, pieces};
use super::recipe::Recipe;
use super::stage::{Failed, Stage};
use super::summary::{Method, Summary};
use super::{length, prompt};
use zerodb_hooks_providers::{Class, ProviderError, estimate_tokens};

/// Tokens of a question beside text and answer.
const OVERHEAD: usize = 500;
/// The largest part of a long text, in tokens.
const PIECE: usize = 4000;
/// Tokens of a document that are read; of a longer one, those that say most.
const MOST: usize = 200_000;
/// The longest answer that is asked for, in tokens.
const LONGEST_ANSWER: usize = 4096;
/// Characters of the summary of a part.
const PART_LENGTH: usize = 1500;
/// How often summaries are summarised again.
const DEPTH: usize = 5;
/// How often a text is tried with half the size, where the provider finds it too long.
const SHRINKS: usize = 3;
/// A provider that takes less is asked with as much.
const LEAST: usize = 256;

/// A document's way through a model.
pub struct ByModel<'a> {
    pub asker: &'a Asker<'a>,
    /// For the parts.
    pub stage: Stage<'a>,
    pub recipe: &'a Recipe,
    pub model: Option<&'a str>,
    /// The text has headings.
    pub is_markdown: bool,
}

/// What fits into a question.
#[derive(Debug, Clone, Copy)]
struct Room {
    /// Tokens of the text.
    text: usize,
    /// Tokens of the answer.
    answer: usize,
}

impl Room {
    /// Of a model that takes `context` tokens, question and answer together.
    fn of(context: usize, max_length: usize) -> Self {
        // Of a script that needs most, a character is about a token; of most, a third of one.
        let answer = (max_length / 2 + 256).min(LONGEST_ANSWER).min(context / 4);
        Self {
            text: context.saturating_sub(answer + OVERHEAD).max(LEAST),
            answer,
        }
    }

    /// Characters of the summary of a part: several of them fit.
    fn part_length(self) -> usize {
        PART_LENGTH.min(self.text / 4).max(1)
    }
}

impl ByModel<'_> {
    /// # Errors
    /// As for `Asker::ask` and `Stage::condense`. Safe to cancel; what was sent may then be paid.
    pub async fn summarize(&self, text: &str) -> Result<Summary, Failed> {
        let takes = || self.asker.provider().pack_limits(self.model).input_tokens;
        let mut context = takes();
        for _ in 0..SHRINKS {
            match self.within(text, Room::of(context, self.recipe.max_length)).await {
                Err(Failed::Model(error)) if is_too_long(&error) => context = takes().min(context / 2),
                ended => return ended,
            }
        }
        self.within(text, Room::of(context, self.recipe.max_length)).await
    }

    async fn within(&self, text: &str, room: Room) -> Result<Summary, Failed> {
        if tokens(text) <= room.text {
            let said = self
                .ask(&prompt::whole(self.recipe.max_length), text, room)
                .await?;
            return self.finish(said, room, Method::Single, 1, false).await;
        }
        let pieces = pieces(text, PIECE.min(room.text), self.is_markdown);
        let read = chosen(&pieces, MOST);
        let texts: Vec<String> = read
            .iter()
            .map(|place| text[pieces[*place].range.clone()].to_owned())
            .collect();
        let is_partial = read.len() < pieces.len();
        let partial = self
            .stage
            .condense(&prompt::part(), &texts, room.part_length())
            .await?;
        let headings = if is_partial && self.is_markdown {
            outline(text, room.text / 4)
        } else {
            String::new()
        };
        let (joined, is_thinned) = self.reduce(partial, &headings, room).await?;
        let said = self
            .ask(&prompt::all_parts(self.recipe.max_length), &joined, room)
            .await?;
        self.finish(
            said,
            room,
            Method::MapReduce,
            texts.len(),
            is_partial || is_thinned,
        )
        .await
    }

    /// Summaries of summaries until they fit into one question. Says whether some had to be left out.
    async fn reduce(
        &self,
        mut level: Vec<String>,
        headings: &str,
        room: Room,
    ) -> Result<(String, bool), Failed> {
        let fits = |level: &[String]| tokens(&joined(headings, level)) <= room.text;
        for _ in 0..DEPTH {
            if fits(&level) {
                return Ok((joined(headings, &level), false));
            }
            let groups: Vec<String> = level
                .chunks(group_size(&level, room))
                .map(|group| joined("", group))
                .collect();
            level = self
                .stage
                .condense(&prompt::group(), &groups, room.part_length())
                .await?;
        }
        let all: Vec<usize> = (0..level.len()).collect();
        let mut kept = evenly(&all);
        let text_of = |kept: &[usize]| {
            let mut places = kept.to_vec();
            places.sort_unstable();
            let texts: Vec<String> = places.into_iter().map(|place| level[place].clone()).collect();
            joined(headings, &texts)
        };
        while kept.len() > 1 && tokens(&text_of(&kept)) > room.text {
            kept.pop();
        }
        Ok((text_of(&kept), kept.len() < level.len()))
    }

    async fn ask(&self, system: &str, text: &str, room: Room) -> Result<Said, ProviderError> {
        let question = Question {
            model: self.model,
            system,
            text,
            max_tokens: u32::try_from(room.answer).unwrap_or(u32::MAX),
            enough: self.recipe.max_length,
        };
        self.asker.ask(&question).await
    }

    /// Makes the answer fit its length: the model may shorten it once, then it is cut.
    async fn finish(
        &self,
        mut said: Said,
        room: Room,
        method: Method,
        chunks: usize,
        truncated: bool,
    ) -> Result<Summary, Failed> {
        let max_length = self.recipe.max_length;
        if length::is_much_too_long(&said.text, max_length) && tokens(&said.text) <= room.text {
            let shorter = self.ask(&prompt::shorter(max_length), &said.text, room).await;
            // An answer that is cut is better than none.
            if let Ok(shorter) = shorter
                && shorter.text.len() < said.text.len()
            {
                said = shorter;
            }
        }
        let text = length::kept(&said.text, max_length, said.is_cut);
        Ok(Summary {
            truncated: truncated || said.is_cut,
            text: Some(text),
            method,
            model: Some(self.recipe.model.clone()),
            chunks,
        })
    }
}

/// How many summaries go into one of the next level. It depends on their size roughly only, so that an edit that makes one of
/// them longer does not group all of them anew.
fn group_size(level: &[String], room: Room) -> usize {
    let largest = level.iter().map(|summary| tokens(summary)).max().unwrap_or(1);
    (room.text / (largest + 2).next_power_of_two()).max(2)
}

fn joined(headings: &str, summaries: &[String]) -> String {
    let summaries = summaries.join("\n\n");
    if headings.is_empty() {
        summaries
    } else {
        format!("Headings of the document:\n{headings}\nSummaries of its parts:\n\n{summaries}")
    }
}

fn tokens(text: &str) -> usize {
    usize::try_from(estimate_tokens(text)).unwrap_or(usize::MAX)
}

fn is_too_long(error: &ProviderError) -> bool {
    matches!(error.class, Class::InputTooLong | Class::BatchTooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn question_and_answer_fit_into_what_the_model_takes() {
        for context in [1024, 8192, 128_000] {
            for max_length in [1, 1000, 1_000_000] {
                let room = Room::of(context, max_length);
                assert!(
                    room.text + room.answer + OVERHEAD <= context.max(LEAST + room.answer + OVERHEAD),
                    "{room:?}"
                );
                assert!(room.answer >= 1 && room.answer <= LONGEST_ANSWER);
            }
        }
        assert_eq!(Room::of(10, 1000).text, LEAST);
    }

    #[test]
    fn a_group_holds_what_fits_and_its_size_is_steady() {
        let room = Room {
            text: 7000,
            answer: 700,
        };
        let level = |length: usize| vec!["word ".repeat(length / 5); 100];
        assert_eq!(group_size(&level(900), room), group_size(&level(1100), room));
        let size = group_size(&level(1500), room);
        assert!(size > 8 && tokens(&joined("", &level(1500)[..size])) <= room.text);
        assert_eq!(group_size(&level(100_000), room), 2, "it always becomes less");
    }

    #[test]
    fn four_summaries_of_parts_fit_into_a_question() {
        for context in [0, 2048, 8192] {
            let room = Room::of(context, 1000);
            let summary = "日".repeat(room.part_length());
            assert!(tokens(&joined("", &vec![summary; 3])) <= room.text, "{context}");
        }
    }
}
