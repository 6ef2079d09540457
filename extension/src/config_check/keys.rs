//! The keys of each handler's config: a public contract.

/// What a value must be.
pub enum Kind {
    Bool,
    /// What the handler does anyway; the other one is not built yet.
    Only(bool),
    /// A text that is not empty, of at most so many characters.
    Text {
        most: usize,
    },
    /// A jsonpath of at most so many characters. Null is no path, and not left out either: it would be no condition where one was
    /// meant.
    Path {
        most: usize,
    },
    Whole {
        least: i64,
        most: i64,
    },
    OneOf(&'static [&'static str]),
    /// `http://` or `https://`, or a secret's reference that holds the whole URL.
    Url,
    Headers,
    /// Jinja2 that parses, of at least so many bytes.
    Template {
        least: usize,
    },
    /// Only `${ZERODB_SECRET_…}`.
    Secret,
}

/// A name of a table, column, model, function or provider.
const NAME: Kind = Kind::Text { most: 1024 };

impl Kind {
    /// Whether null means that the key was left out.
    pub fn may_be_null(&self) -> bool {
        !matches!(self, Self::Path { .. })
    }
}

pub struct Key {
    pub name: &'static str,
    pub kind: Kind,
    pub required: bool,
}

const fn key(name: &'static str, kind: Kind) -> Key {
    Key {
        name,
        kind,
        required: false,
    }
}

const fn required(name: &'static str, kind: Kind) -> Key {
    Key {
        name,
        kind,
        required: true,
    }
}

/// Keys of which one would make the other do nothing.
pub const EXCLUSIVE: &[(&str, &str)] = &[
    ("template", "content"),
    ("template", "chunk_table"),
    ("template", "chunk_tokens"),
    ("template", "chunk_overlap"),
];

/// Keys that any hook may have.
pub const ANY_HOOK: &[Key] = &[
    key("when", Kind::Path { most: 4096 }),
    key("order_by", Kind::Path { most: 1024 }),
    key("max_attempts", Kind::Whole { least: 1, most: 1000 }),
    key(
        "concurrency",
        Kind::Whole {
            least: 1,
            most: 10_000,
        },
    ),
    key(
        "timeout_ms",
        Kind::Whole {
            least: 1,
            most: 3_600_000,
        },
    ),
];

pub const AUTO_EMBED: &[Key] = &[
    key("model", NAME),
    key("provider", NAME),
    key(
        "dimensions",
        Kind::Whole {
            least: 1,
            most: 16_000,
        },
    ),
    key("content", NAME),
    key("target_column", NAME),
    key("template", Kind::Template { least: 1 }),
    key("chunk_table", NAME),
    key(
        "chunk_tokens",
        Kind::Whole {
            least: 16,
            most: 8192,
        },
    ),
    key("chunk_overlap", Kind::Whole { least: 0, most: 1024 }),
];

pub const AUTO_SUMMARIZE: &[Key] = &[
    key("model", NAME),
    key("provider", NAME),
    key("map_model", NAME),
    key("content", NAME),
    key("target_column", NAME),
    key(
        "max_length",
        Kind::Whole {
            least: 1,
            most: 1_000_000,
        },
    ),
];

pub const AUTO_GRAPH: &[Key] = &[
    key("model", NAME),
    key("provider", NAME),
    key("embedding_provider", NAME),
    key("embedding_model", NAME),
    key("extract_entities", Kind::Bool),
    key(
        "max_relations",
        Kind::Whole {
            least: 0,
            most: 10_000,
        },
    ),
];

pub const WEBHOOK: &[Key] = &[
    required("url", Kind::Url),
    key("method", Kind::OneOf(&["POST", "PUT"])),
    key("headers", Kind::Headers),
    key("body_template", Kind::Template { least: 0 }),
    key("retry_count", Kind::Whole { least: 0, most: 999 }),
    key(
        "retry_delay_ms",
        Kind::Whole {
            least: 0,
            most: 86_400_000,
        },
    ),
    key("async", Kind::Only(true)),
    key("include_content", Kind::Only(false)),
    key("format", Kind::OneOf(&["native", "cloudevents"])),
    key("secret", Kind::Secret),
];

pub const LOG: &[Key] = &[
    key("level", Kind::OneOf(&["debug", "info", "warning", "error"])),
    key("message", Kind::Template { least: 0 }),
];

pub const SQL: &[Key] = &[required("function", NAME)];
