//! The hook types, each with the keys of its config: a public contract. A new type is a block here with its name in the
//! list below, and its handler in the worker. How values are read and checked is in `setting` and its neighbours.

use serde_json::{Map, Value};

use crate::headers::Headers;
use crate::key::Key;
use crate::setting::{JsonPath, Name, SecretReference, Whole};
use crate::template::{BodyTemplate, EventTemplate, RowTemplate};
use crate::url::Url;

/// The description of a hook type: its name, its keys and its defaults.
pub struct Handler {
    pub hook_type: HookType,
    /// Whether `hook_name` names it, and `hook_type` is `first_party`.
    pub is_first_party: bool,
    pub name: &'static str,
    /// What it does, in Markdown.
    pub about: &'static str,
    /// Those of its own, in their order.
    pub keys: &'static [Key],
    pub timeout_ms: u32,
}

// With the milliseconds that an attempt may take where its hook does not say.
hook_types! {
    by_type: Webhook within 5_000, Log within 5_000, Sql within 30_000;
    first_party: AutoEmbed within 120_000, AutoSummarize within 120_000, AutoGraph within 120_000;
    function within 120_000
}

settings! {
    /// Keys that every hook may have.
    DeliverySettings "any" {
        /// A predicate over the event's data: the hook runs for events for which it is true.
        optional when: JsonPath<4096>;
        /// A path to a key within the event's data: deliveries of one key run one after another, in the order in which
        /// their events were written.
        optional order_by: JsonPath<1024>;
        /// Attempts after which a delivery is given up.
        optional max_attempts: Whole<1, 1000>;
        /// Deliveries, or packs of them, of this hook that one worker runs at once. By default what is best for the
        /// handler, or the worker's `--concurrency`.
        optional concurrency: Whole<1, 10_000>;
        /// How long one attempt may take, in milliseconds.
        optional timeout_ms: Whole<1, 3_600_000>;
        /// Hours after which the hook is switched off, when all its attempts failed in that time; 0 for never.
        default disable_after_hours: Whole<0, 8760> = DISABLE_AFTER_HOURS;
        /// The file that made the hook. `zerodb-hooks apply` sets it, and its `--prune` deletes by it.
        optional managed_by: Name;
    }
}

settings! {
    /// Sends each event as an HTTP request, signed as [Standard Webhooks](https://www.standardwebhooks.com/).
    Webhook "webhook" {
        /// Where the request goes. May hold references to secrets, or be one; never a user, a password or a key.
        required url: Url;
        /// The method of the request.
        default method: Method = Method::Post;
        /// Headers of the request. A value may hold references to secrets, and one that is a credential must. Headers
        /// of the connection, of the length and of the signature are the worker's own.
        default headers: Headers = Headers::default();
        /// The body, over the event's data; by default the whole envelope. Its text may hold references to secrets.
        optional body_template: BodyTemplate;
        /// Attempts after the first one, where `max_attempts` is not given.
        default retry_count: Whole<0, 999> = Whole::new(2);
        /// Wait before the second attempt, in milliseconds; it doubles from there, up to an hour.
        default retry_delay_ms: Whole<0, 86_400_000> = Whole::new(1000);
        /// Requests a minute, of all workers together; what is over it waits and uses up no attempt.
        optional rate_limit: Whole<1, 1_000_000>;
        /// Whether the writer's session goes on without this hook. Requests are sent after the commit either way; with
        /// false `zerodb.await_hooks` waits for them and tells which failed.
        default r#async: bool = true;
        /// Whether the event's data have the text of the row as `content`, read as the hook's owner when the request is
        /// made.
        default include_content: bool = false;
        /// The form of the request where there is no template; a template writes the data of `cloudevents_binary` too.
        default format: Format = Format::Native;
        /// Whether the endpoint is asked first if it wants requests from here, by the handshake of the CloudEvents
        /// Webhook specification; the worker's file has the name to ask with.
        default handshake: bool = false;
        /// The secret that signs. By default `ZERODB_SECRET_WEBHOOK`: itself for a hook of no user, a key made of it
        /// for a user's.
        optional secret: SecretReference;
    }
}

words! {
    /// The method of a webhook's request.
    pub enum Method {
        Post = "POST",
        Put = "PUT",
    }
}

words! {
    /// The form of a webhook's body.
    pub enum Format {
        /// The event's envelope.
        Native = "native",
        /// The structured JSON mode of CloudEvents 1.0.
        CloudEvents = "cloudevents",
        /// The binary mode: the attributes are headers, and the body is the event's data.
        CloudEventsBinary = "cloudevents_binary",
        /// The batched mode, with a batch of one event.
        CloudEventsBatch = "cloudevents_batch",
    }
}

settings! {
    /// Writes a line to the worker's log.
    Log "log" {
        /// The level of the line.
        default level: Level = Level::Info;
        /// The line, over the event's data; by default the whole envelope.
        optional message: EventTemplate;
    }
}

words! {
    /// The level of a line of the log.
    pub enum Level {
        Debug = "debug",
        Info = "info",
        Warning = "warning",
        Error = "error",
    }
}

settings! {
    /// Calls a SQL function with the event's envelope, as the hook's owner.
    Sql "sql" {
        /// A function of one `jsonb` argument, with its schema.
        required function: Name;
    }
}

settings! {
    /// Keeps vectors of texts and files up to date: one beside each row, or one for each part in a table of chunks.
    AutoEmbed "auto_embed" {
        /// The model, as the provider knows it; by default the provider's.
        optional model: Name;
        /// A provider of the worker's file; by default its `default_provider`.
        optional provider: Name;
        /// Dimensions of the vectors; by default those of the column.
        optional dimensions: Whole<1, 16_000>;
        /// The column that is embedded; by default `content`.
        optional content: Name;
        /// The column of vectors; by default `embedding`.
        optional target_column: Name;
        /// The text that is embedded, over the row's columns, instead of `content` and of chunks.
        optional template: RowTemplate;
        /// The table of chunks, made by `zerodb.create_chunk_table`; by default the one of a table that has no column
        /// of vectors.
        optional chunk_table: Name;
        /// Tokens of a chunk, by default 400; never more than the model takes.
        optional chunk_tokens: Whole<16, 8192>;
        /// Tokens that a chunk has in common with the one before; by default a tenth of a chunk.
        optional chunk_overlap: Whole<0, 1024>;
    }
}

settings! {
    /// Keeps a summary of a text or a file beside it.
    AutoSummarize "auto_summarize" {
        /// The model, as the provider knows it; by default the provider's.
        optional model: Name;
        /// A provider of the worker's file; by default its `default_provider`.
        optional provider: Name;
        /// The model for the parts of a long text; by default `model`.
        optional map_model: Name;
        /// The column that is summarised; by default `content`, or the file in `content_bytes`.
        optional content: Name;
        /// The column of the summary; by default `summary`.
        optional target_column: Name;
        /// Characters of the summary; never more than the column takes.
        default max_length: Whole<1, 1_000_000> = Whole::new(1000);
    }
}

settings! {
    /// Keeps the entities and relations of memories in the graph of their store.
    AutoGraph "auto_graph" {
        /// The model that extracts, as the provider knows it; by default the provider's.
        optional model: Name;
        /// A provider of the worker's file; by default its `default_provider`.
        optional provider: Name;
        /// The provider that embeds names of entities; by default `provider`.
        optional embedding_provider: Name;
        /// The model that embeds names of entities.
        optional embedding_model: Name;
        /// Whether new entities are made; if not, only known ones are linked.
        default extract_entities: bool = true;
        /// Relations that one memory may give.
        default max_relations: Whole<0, 10_000> = Whole::new(30);
    }
}

/// Keys of which the first makes the second do nothing; a config has one of them.
pub const EXCLUSIVE: &[(&str, &str)] = &[
    ("template", "content"),
    ("template", "chunk_table"),
    ("template", "chunk_tokens"),
    ("template", "chunk_overlap"),
];

/// The config of a handler of one's own: what it makes of it is its own matter.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// With all digits of its numbers.
    pub own: Map<String, Value>,
}

/// Attempts where neither the type nor the hook says.
pub const MAX_ATTEMPTS: u32 = 5;
/// Hours of failing after which a hook is switched off, where it does not say.
pub const DISABLE_AFTER_HOURS: Whole<0, 8760> = Whole::new(120);
/// Milliseconds before the second attempt where neither the type nor the hook says.
pub const RETRY_DELAY_MS: u64 = 1000;

impl HookConfig {
    /// Attempts where the hook has no `max_attempts`.
    pub fn max_attempts(&self) -> u32 {
        match self {
            Self::Webhook(webhook) => webhook.retry_count.get() + 1,
            _ => MAX_ATTEMPTS,
        }
    }

    /// Milliseconds before the second attempt.
    pub fn retry_delay_ms(&self) -> u64 {
        match self {
            Self::Webhook(webhook) => webhook.retry_delay_ms.get().into(),
            Self::Function(function) => {
                let own = function.own.get("retry_delay_ms");
                own.and_then(Value::as_u64).unwrap_or(RETRY_DELAY_MS)
            }
            _ => RETRY_DELAY_MS,
        }
    }
}
