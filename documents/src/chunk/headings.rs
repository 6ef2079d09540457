//! The headings of a Markdown text, and where its code and tables are. By pulldown-cmark, so that a `#` in code is
//! none.

use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::front_matter;

/// The structure of a Markdown text, as far as it matters for cutting.
#[derive(Default)]
pub(super) struct Outline {
    /// The start of the text, behind its front matter.
    start: usize,
    headings: Vec<Heading>,
    /// Code and tables, in order.
    solid: Vec<Range<usize>>,
}

struct Heading {
    at: usize,
    /// 1 to 6; 0 for the title of the front matter.
    level: usize,
    title: String,
}

impl Outline {
    pub(super) fn of(markdown: &str) -> Self {
        let start = front_matter::end(markdown);
        let mut outline = Self {
            start,
            ..Self::default()
        };
        let mut open: Option<Heading> = None;
        let events = Parser::new_ext(&markdown[start..], Options::ENABLE_TABLES).into_offset_iter();
        for (event, range) in events {
            match event {
                Event::Start(Tag::Heading { level, .. }) => {
                    open = Some(Heading {
                        at: start + range.start,
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
                Event::SoftBreak | Event::HardBreak => {
                    if let Some(heading) = &mut open {
                        heading.title.push(' ');
                    }
                }
                Event::Start(Tag::CodeBlock(_) | Tag::Table(_)) => {
                    outline.solid.push(start + range.start..start + range.end);
                }
                _ => {}
            }
        }
        outline.with_title_of_front_matter(markdown)
    }

    /// The title stands above all headings, unless the text has one of the first level: that is the title again, or
    /// what readers see instead of it.
    fn with_title_of_front_matter(mut self, markdown: &str) -> Self {
        if self.start > 0
            && self.headings.iter().all(|heading| heading.level > 1)
            && let Some(title) = front_matter::title(markdown)
        {
            let at = 0;
            self.headings.insert(0, Heading { at, level: 0, title });
        }
        self
    }

    pub(super) fn start(&self) -> usize {
        self.start
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
            if level <= 1 {
                break;
            }
        }
        titles.retain(|title| !title.is_empty());
        titles.reverse();
        (!titles.is_empty()).then(|| titles.join(" > "))
    }

    /// The first heading of the highest level there is.
    pub(super) fn title(&self) -> Option<String> {
        // The first of several with the least level is taken.
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
    fn the_title_of_front_matter_is_above_what_has_no_first_heading() {
        let heading = |text: &str| Outline::of(text).path(text.find("words").unwrap());
        let with = |body: &str| heading(&format!("---\ntitle: Opening hours\ntags: [a]\n---\n{body}"));
        assert_eq!(with("words").as_deref(), Some("Opening hours"));
        assert_eq!(
            with("## Details\n\nwords").as_deref(),
            Some("Opening hours > Details")
        );
        assert_eq!(with("# Own\n\n## Part\n\nwords").as_deref(), Some("Own > Part"));
        assert_eq!(with("words\n\n# Own\n"), None);
        assert_eq!(heading("---\ndraft: true\n---\nwords"), None);
    }

    #[test]
    fn a_heading_of_two_lines_keeps_its_space() {
        for text in ["Opening\nhours\n=====\n\nx", "Opening  \nhours\n---\n\nx"] {
            assert_eq!(
                Outline::of(text).path(text.len() - 1).as_deref(),
                Some("Opening hours")
            );
        }
    }

    #[test]
    fn what_is_in_a_comment_or_a_longer_fence_is_no_heading() {
        for text in [
            "<!--\n# not seen\n-->\n\nx",
            "````\n```\n# no\n```\n````\n\nx",
            "    # indented\n\nx",
        ] {
            assert_eq!(Outline::of(text).path(text.len() - 1), None, "{text}");
        }
    }

    #[test]
    fn code_is_solid_and_holds_no_headings() {
        let outline = Outline::of(TEXT);
        assert!(outline.is_solid(at("# no heading")) && !outline.begins_at(at("# no heading")));
        assert!(!outline.is_solid(at("y")) && outline.begins_at(at("## B")));
    }
}
