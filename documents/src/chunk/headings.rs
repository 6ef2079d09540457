//! The headings of a Markdown text, and where its code and tables are. By pulldown-cmark, so that a `#` in code is none.

use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// What a Markdown text is made of, as far as it matters for cutting.
#[derive(Default)]
pub(super) struct Outline {
    headings: Vec<Heading>,
    /// Code and tables, in order.
    solid: Vec<Range<usize>>,
}

struct Heading {
    at: usize,
    /// 1 to 6.
    level: usize,
    title: String,
}

impl Outline {
    pub(super) fn of(markdown: &str) -> Self {
        let mut outline = Self::default();
        let mut open: Option<Heading> = None;
        for (event, range) in Parser::new_ext(markdown, Options::ENABLE_TABLES).into_offset_iter() {
            match event {
                Event::Start(Tag::Heading { level, .. }) => {
                    open = Some(Heading {
                        at: range.start,
                        level: level as usize,
                        title: String::new(),
                    });
                }
                Event::End(TagEnd::Heading(_)) => outline.headings.extend(open.take()),
                Event::Text(words) | Event::Code(words) => {
                    if let Some(heading) = &mut open {
                        heading.title.push_str(&words);
                    }
                }
                Event::Start(Tag::CodeBlock(_) | Tag::Table(_)) => outline.solid.push(range),
                _ => {}
            }
        }
        outline
    }

    /// The level of the heading that begins there.
    pub(super) fn level_at(&self, at: usize) -> Option<usize> {
        let index = self
            .headings
            .binary_search_by_key(&at, |heading| heading.at)
            .ok()?;
        Some(self.headings[index].level)
    }

    pub(super) fn begins_at(&self, at: usize) -> bool {
        self.level_at(at).is_some()
    }

    /// Whether that is within a table or code.
    pub(super) fn is_solid(&self, at: usize) -> bool {
        let after = self.solid.partition_point(|range| range.start < at);
        after > 0 && at < self.solid[after - 1].end
    }

    /// The headings above a place, from the outermost, with the one that begins there.
    pub(super) fn path(&self, at: usize) -> Option<String> {
        let after = self.headings.partition_point(|heading| heading.at <= at);
        let (mut titles, mut level) = (Vec::new(), usize::MAX);
        for heading in self.headings[..after].iter().rev() {
            if heading.level < level {
                level = heading.level;
                titles.push(heading.title.trim());
            }
            if level == 1 {
                break;
            }
        }
        titles.reverse();
        (!titles.is_empty()).then(|| titles.join(" > "))
    }

    /// The first heading of the highest level there is.
    pub(super) fn title(&self) -> Option<String> {
        // Of several with the least level the first is taken.
        let heading = self.headings.iter().min_by_key(|heading| heading.level)?;
        let title = heading.title.split_whitespace().collect::<Vec<_>>().join(" ");
        (!title.is_empty()).then_some(title)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# A\n\nx\n\n## B\n\ny\n\n```\n# no heading\n```\n\n## C `d`\n\nz\n\n# E\n\nw\n";

    fn at(words: &str) -> usize {
        TEXT.find(words).unwrap()
    }

    #[test]
    fn a_place_has_the_headings_above_it() {
        let outline = Outline::of(TEXT);
        assert_eq!(outline.path(at("y")).as_deref(), Some("A > B"));
        assert_eq!(outline.path(at("## C")).as_deref(), Some("A > C d"));
        assert_eq!(outline.path(at("w")).as_deref(), Some("E"));
        assert_eq!(Outline::of("words").path(0), None);
        assert_eq!(outline.title().as_deref(), Some("A"));
    }

    #[test]
    fn code_is_solid_and_holds_no_headings() {
        let outline = Outline::of(TEXT);
        assert!(outline.is_solid(at("# no heading")) && !outline.begins_at(at("# no heading")));
        assert!(!outline.is_solid(at("y")) && outline.begins_at(at("## B")));
    }
}
