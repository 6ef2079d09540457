//! From the tree of a page to its layout. Owns the order of the walk, which is one of a stack and not of calls, so that
//! depth costs nothing; and which parts of the page are left out.

use html5ever::Attribute;
use markup5ever_rcdom::{Handle, NodeData};

use super::elements::{self, ElementRole, attribute, is_hidden, is_of_layout};
use super::layout::Layout;
use crate::text;

/// The text that was read of a page.
#[derive(Default)]
pub(super) struct Reading {
    pub(super) text: String,
    pub(super) title: Option<String>,
    pub(super) truncated: bool,
}

/// How much of a page is read.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Extent {
    /// All that a reader sees, without what is around the content.
    Content,
    /// All that a reader sees.
    Seen,
    /// Also what a script would show.
    All,
}

/// Reads the tree below a node.
pub(super) fn read(root: &Handle, extent: Extent) -> Reading {
    let mut walk = Walk {
        extent,
        steps: vec![Step::Open(root.clone())],
        layout: Layout::default(),
        title: None,
        within_content: 0,
        within_header: 0,
        tables: Vec::new(),
    };
    while let Some(step) = walk.steps.pop() {
        if walk.layout.is_full() {
            break;
        }
        match step {
            Step::Open(node) => walk.open(&node),
            Step::Close(role) => walk.close(role),
        }
    }
    let (text, truncated) = walk.layout.finish();
    Reading {
        text,
        title: walk.title,
        truncated,
    }
}

enum Step {
    Open(Handle),
    Close(ElementRole),
}

struct Walk {
    extent: Extent,
    steps: Vec<Step>,
    layout: Layout,
    title: Option<String>,
    /// The number of open elements of content.
    within_content: usize,
    /// The number of open headers of which only the headings are read.
    within_header: usize,
    /// Whether each open table is one of rows.
    tables: Vec<bool>,
}

impl Walk {
    fn open(&mut self, node: &Handle) {
        match &node.data {
            NodeData::Document => self.enter(node),
            NodeData::Text { contents } if self.within_header == 0 || self.layout.in_heading() => {
                self.layout.words(&contents.borrow());
            }
            NodeData::Element { name, attrs, .. } => {
                let role = elements::role(&name.local);
                if self.extent == Extent::All || !is_hidden(&attrs.borrow()) {
                    self.open_element(node, role, &attrs.borrow());
                }
            }
            _ => {}
        }
    }

    fn open_element(&mut self, node: &Handle, role: ElementRole, attributes: &[Attribute]) {
        match role {
            ElementRole::Skipped => return,
            ElementRole::Dialog if attribute(attributes, "open").is_none() => return,
            ElementRole::Title => return self.keep_title(node),
            ElementRole::Image => return self.image(attributes),
            ElementRole::Break => return self.layout.break_line(),
            ElementRole::Navigation if self.extent == Extent::Content => return,
            ElementRole::Around if self.is_around() => return,
            ElementRole::Header if self.is_around() || self.within_header > 0 => self.within_header += 1,
            ElementRole::Inline | ElementRole::Header => {}
            ElementRole::Heading(level) => self.layout.begin_heading(level),
            ElementRole::List { ordered } => {
                let first = attribute(attributes, "start").and_then(|start| start.trim().parse().ok());
                self.layout.begin_list(ordered.then_some(first.unwrap_or(1)));
            }
            ElementRole::Item => self.layout.begin_item(),
            ElementRole::Preformatted => self.layout.begin_preformatted(holds_code(node)),
            ElementRole::Table => {
                let rows = !matches!(attribute(attributes, "role"), Some("presentation" | "none"))
                    && is_of_rows(node);
                self.tables.push(rows);
                self.layout.end_block(true);
            }
            ElementRole::Cell if self.in_rows() => self.layout.begin_cell(),
            ElementRole::Content => {
                self.within_content += 1;
                self.layout.end_block(true);
            }
            ElementRole::Line | ElementRole::Row => self.layout.end_block(false),
            _ => self.layout.end_block(true),
        }
        self.steps.push(Step::Close(role));
        self.enter(node);
    }

    fn close(&mut self, role: ElementRole) {
        match role {
            ElementRole::Inline => {}
            ElementRole::Header => {
                self.within_header = self.within_header.saturating_sub(1);
                self.layout.end_block(true);
            }
            ElementRole::Heading(_) => self.layout.end_heading(),
            ElementRole::List { .. } => self.layout.end_list(),
            ElementRole::Item => self.layout.end_item(),
            ElementRole::Preformatted => self.layout.end_preformatted(),
            ElementRole::Table => {
                self.tables.pop();
                self.layout.end_table();
            }
            ElementRole::Row if self.in_rows() => self.layout.end_row(),
            ElementRole::Cell if self.in_rows() => self.layout.end_cell(),
            ElementRole::Content => {
                self.within_content -= 1;
                self.layout.end_block(true);
            }
            ElementRole::Line | ElementRole::Row => self.layout.end_block(false),
            _ => self.layout.end_block(true),
        }
    }

    /// The children are what comes next.
    fn enter(&mut self, node: &Handle) {
        let children = node.children.borrow();
        self.steps.extend(children.iter().rev().cloned().map(Step::Open));
    }

    fn is_around(&self) -> bool {
        self.extent == Extent::Content && self.within_content == 0
    }

    fn in_rows(&self) -> bool {
        self.tables.last() == Some(&true)
    }

    /// The first title that says something.
    fn keep_title(&mut self, node: &Handle) {
        if self.title.is_none() {
            let title = text::clean(words_of(node));
            let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
            self.title = (!title.is_empty()).then_some(title);
        }
    }

    /// The words that stand for an image. Its address is no text, and may be the image itself.
    fn image(&mut self, attributes: &[Attribute]) {
        let words = attribute(attributes, "alt").unwrap_or_default();
        if !words.trim().is_empty() && (self.within_header == 0 || self.layout.in_heading()) {
            self.layout.words(" ");
            self.layout.words(words);
            self.layout.words(" ");
        }
    }
}

/// All words below a node.
fn words_of(node: &Handle) -> String {
    let (mut words, mut nodes) = (String::new(), vec![node.clone()]);
    while let Some(node) = nodes.pop() {
        if let NodeData::Text { contents } = &node.data {
            words.push_str(&contents.borrow());
        }
        nodes.extend(node.children.borrow().iter().rev().cloned());
    }
    words
}

fn name_of(node: &Handle) -> &str {
    match &node.data {
        NodeData::Element { name, .. } => &name.local,
        _ => "",
    }
}

/// Whether preformatted text is code and not, say, a letter.
fn holds_code(node: &Handle) -> bool {
    let children = node.children.borrow();
    children
        .iter()
        .any(|child| matches!(name_of(child), "code" | "samp" | "kbd" | "var"))
}

/// Whether a table is read by rows: some row has several cells, and no cell holds more than words. Ends at the first
/// table within.
fn is_of_rows(table: &Handle) -> bool {
    let mut nodes: Vec<Handle> = table.children.borrow().iter().rev().cloned().collect();
    let mut several = false;
    while let Some(node) = nodes.pop() {
        let role = elements::role(name_of(&node));
        if is_of_layout(role) {
            return false;
        }
        let children = node.children.borrow();
        let is_cell = |child: &&Handle| elements::role(name_of(child)) == ElementRole::Cell;
        several |= role == ElementRole::Row && children.iter().filter(is_cell).nth(1).is_some();
        nodes.extend(children.iter().rev().cloned());
    }
    several
}
