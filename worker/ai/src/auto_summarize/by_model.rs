//! Summarises a text by a model: by one question where the text fits, else part by part. Decides nothing about
//! attempts.

use super::parts::{PartSummaries, SummaryError};
use super::pieces::pieces;
use super::recipe::SummaryRecipe;
use super::selection::{chosen, evenly};
use super::summary::{Summary, SummaryMethod};
use super::units::outline;
use super::{length, prompt};
use crate::asking::{AnswerForm, Asker, ModelQuestion};
use zerodb_hooks_providers::{ChatAnswer, Class, Finish, ProviderError, estimate_tokens};

/// Tokens of a question beside text and answer.
const OVERHEAD: usize = 500;
/// The largest part of a long text, in tokens.
const PIECE: usize = 4000;
/// Tokens of a document that are read; of a longer one, chosen pieces.
const MOST: usize = 200_000;
/// The longest answer that is asked for, in tokens.
const LONGEST_ANSWER: usize = 4096;
/// Characters of the summary of a part.
const PART_LENGTH: usize = 1500;
/// The number of times that summaries are summarised again.
const DEPTH: usize = 5;
/// The number of times that a text is tried with half the size, where the provider finds it too long.
const SHRINKS: usize = 3;
/// The fewest tokens of a text that are sent, whatever the provider takes.
const LEAST: usize = 256;

/// The summary of one document.
pub struct ByModel<'a> {
    pub asker: &'a Asker<'a>,
    pub parts: PartSummaries<'a>,
    pub recipe: &'a SummaryRecipe,
    /// The text has headings.
    pub is_markdown: bool,
}

/// The sizes that fit into one question and its answer.
#[derive(Debug, Clone, Copy)]
struct Room {
    /// Tokens of the text.
    text: usize,
    /// Tokens of the answer.
    answer: usize,
}

impl Room {
    /// The sizes for a model that takes `context` tokens, question and answer together.
    fn of(context: usize, max_length: usize) -> Self {
        // A character is about a token in the scripts that need most, and a third of one in most scripts.
        let answer = (max_length / 2 + 256).min(LONGEST_ANSWER).min(context / 4);
        Self {
            text: context.saturating_sub(answer + OVERHEAD).max(LEAST),
            answer,
        }
    }

    /// Characters of the summary of a part, so that several of them fit.
    fn part_length(self) -> usize {
        PART_LENGTH.min(self.text / 4).max(1)
    }
}

impl ByModel<'_> {
    /// # Errors
    /// As for `Asker::ask` and `PartSummaries::condense`. Safe to cancel; what was sent may then be paid.
    pub async fn summarize(&self, text: &str) -> Result<Summary, SummaryError> {
        let mut context = self.asker.context_tokens();
        for _ in 0..SHRINKS {
            match self.within(text, Room::of(context, self.recipe.max_length)).await {
                Err(SummaryError::Model(error)) if is_too_long(&error) => {
                    context = self.asker.context_tokens().min(context / 2);
                }
                result => return result,
            }
        }
        self.within(text, Room::of(context, self.recipe.max_length)).await
    }

    async fn within(&self, text: &str, room: Room) -> Result<Summary, SummaryError> {
        if tokens(text) > room.text {
            return self.part_by_part(text, room).await;
        }
        let answer = self
            .ask(&prompt::whole(self.recipe.max_length), text, room)
            .await?;
        let (text, is_cut) = self.fitted(answer, room).await;
        Ok(Summary {
            truncated: is_cut,
            text: Some(text),
            method: SummaryMethod::Single,
            model: Some(self.recipe.model.clone()),
            chunks: 1,
        })
    }

    async fn part_by_part(&self, text: &str, room: Room) -> Result<Summary, SummaryError> {
        let pieces = pieces(text, PIECE.min(room.text), self.is_markdown);
        let read = chosen(&pieces, MOST);
        let texts: Vec<String> = read
            .iter()
            .map(|index| text[pieces[*index].range.clone()].to_owned())
            .collect();
        let is_partial = read.len() < pieces.len();
        let partial = self
            .parts
            .condense(&prompt::part(), &texts, room.part_length())
            .await?;
        let headings = if is_partial && self.is_markdown {
            outline(text, room.text / 4)
        } else {
            String::new()
        };
        let reduced = self.reduce(partial, &headings, room).await?;
        let answer = self
            .ask(&prompt::all_parts(self.recipe.max_length), &reduced.text, room)
            .await?;
        let (text, is_cut) = self.fitted(answer, room).await;
        Ok(Summary {
            truncated: is_partial || reduced.is_thinned || is_cut,
            text: Some(text),
            method: SummaryMethod::MapReduce,
            model: Some(self.recipe.model.clone()),
            chunks: texts.len(),
        })
    }

    /// Summarises summaries until they fit into one question.
    async fn reduce(
        &self,
        mut level: Vec<String>,
        headings: &str,
        room: Room,
    ) -> Result<Reduced, SummaryError> {
        let fits = |level: &[String]| tokens(&joined(headings, level)) <= room.text;
        for _ in 0..DEPTH {
            if fits(&level) {
                return Ok(Reduced {
                    text: joined(headings, &level),
                    is_thinned: false,
                });
            }
            let groups: Vec<String> = level
                .chunks(group_size(&level, room))
                .map(|group| joined("", group))
                .collect();
            level = self
                .parts
                .condense(&prompt::group(), &groups, room.part_length())
                .await?;
        }
        Ok(thinned(&level, headings, room))
    }

    async fn ask(&self, system: &str, text: &str, room: Room) -> Result<ChatAnswer, ProviderError> {
        let question = ModelQuestion {
            system,
            user: &prompt::fenced(text),
            form: AnswerForm::Text {
                enough: self.recipe.max_length,
            },
            max_tokens: u32::try_from(room.answer).unwrap_or(u32::MAX),
        };
        self.asker.ask(&question).await
    }

    /// The text of an answer within its length, and whether the model was stopped before its end. The model may shorten
    /// it once, then it is cut.
    async fn fitted(&self, mut answer: ChatAnswer, room: Room) -> (String, bool) {
        let max_length = self.recipe.max_length;
        if length::is_much_too_long(&answer.text, max_length) && tokens(&answer.text) <= room.text {
            let shorter = self.ask(&prompt::shorter(max_length), &answer.text, room).await;
            // An answer that is cut is better than none.
            if let Ok(shorter) = shorter
                && shorter.text.len() < answer.text.len()
            {
                answer = shorter;
            }
        }
        let is_cut = answer.finish == Finish::Length;
        (length::fitted(&answer.text, max_length, is_cut), is_cut)
    }
}

/// Summaries that fit into one question.
struct Reduced {
    text: String,
    /// Some had to be left out.
    is_thinned: bool,
}

/// As many of the summaries as fit, spread evenly.
fn thinned(level: &[String], headings: &str, room: Room) -> Reduced {
    let all: Vec<usize> = (0..level.len()).collect();
    let mut kept = evenly(&all);
    let text_of = |kept: &[usize]| {
        let mut indexes = kept.to_vec();
        indexes.sort_unstable();
        let texts: Vec<String> = indexes.into_iter().map(|index| level[index].clone()).collect();
        joined(headings, &texts)
    };
    while kept.len() > 1 && tokens(&text_of(&kept)) > room.text {
        kept.pop();
    }
    Reduced {
        text: text_of(&kept),
        is_thinned: kept.len() < level.len(),
    }
}

/// The number of summaries that go into one of the next level. It depends on their size roughly only, so that an edit
/// that makes one of them longer does not group all of them anew.
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
