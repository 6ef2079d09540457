//! The macros by which hook types, their keys and words of a list are declared: each stands in one place, and type,
//! checks, messages and reference pages follow from it.

/// An enumeration with its text form: `words! { pub enum Method { Post = "POST" } }`.
macro_rules! words {
    ($(#[$about:meta])* pub enum $name:ident { $($(#[$meaning:meta])* $word:ident = $text:literal),+ $(,)? }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$meaning])* $word,)+
        }

        impl $crate::setting::Word for $name {
            const ALL: &'static [Self] = &[$(Self::$word),+];

            fn as_str(self) -> &'static str {
                match self {
                    $(Self::$word => $text,)+
                }
            }
        }
    };
}

/// Lets a value that is a text be read as one.
macro_rules! read_as_text {
    ($($name:ident),+) => {
        $(impl std::ops::Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        })+
    };
}

/// A struct of keys. A line is `required key: Type;`, `optional key: Type;` or `default key: Type = value;`, with its
/// meaning above it. What follows the name of the struct is what its hooks are called.
macro_rules! settings {
    (
        $(#[doc = $about:literal])+
        $name:ident $handler:literal {
            $($(#[doc = $meaning:literal])+ $presence:ident $key:ident: $type:ty $(= $default:expr)?;)*
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $($(#[doc = $meaning])+ pub $key: held!($presence $type),)*
        }

        impl $name {
            pub const NAME: &'static str = $handler;
            pub const ABOUT: &'static str = concat!($($about, "\n"),+);
            pub const KEYS: &'static [$crate::Key] = &[
                $($crate::Key {
                    name: $crate::key::bare(stringify!($key)),
                    meaning: concat!($($meaning, "\n"),+),
                    is_required: is_required!($presence),
                    json_type: <$type as $crate::setting::Setting>::JSON_TYPE,
                    null_is_absent: <$type as $crate::setting::Setting>::NULL_IS_ABSENT,
                    names_fields: <$type as $crate::setting::Setting>::NAMES_FIELDS,
                    expected: <$type as $crate::setting::Setting>::expected,
                    default: shown!($type $(= $default)?),
                    schema: <$type as $crate::setting::Setting>::schema,
                    check: $crate::key::check::<$type>,
                },)*
            ];

            /// # Errors
            /// With the path of the first key that cannot be read, or the one that is missing.
            pub fn read(
                config: &serde_json::Map<String, serde_json::Value>,
            ) -> Result<Self, $crate::Fault> {
                Ok(Self {
                    $($key: {
                        let name = $crate::key::bare(stringify!($key));
                        let value = $crate::key::read::<$type>(config, name)?;
                        filled!($presence value, name, $handler $(, $default)?)
                    },)*
                })
            }
        }
    };
}

/// The type of a field.
macro_rules! held {
    (optional $type:ty) => { Option<$type> };
    ($presence:ident $type:ty) => { $type };
}

macro_rules! is_required {
    (required) => {
        true
    };
    ($presence:ident) => {
        false
    };
}

/// How a default is shown.
macro_rules! shown {
    ($type:ty) => {
        None
    };
    ($type:ty = $default:expr) => {
        Some(|| {
            let default: $type = $default;
            $crate::setting::Setting::shown(&default)
        })
    };
}

/// What a field holds, given the value of its key.
macro_rules! filled {
    (required $value:ident, $key:ident, $handler:literal) => {
        $value.ok_or($crate::Fault::MissingKey {
            key: $key,
            handler: $handler,
        })?
    };
    (optional $value:ident, $key:ident, $handler:literal) => {
        $value
    };
    (default $value:ident, $key:ident, $handler:literal, $default:expr) => {
        $value.unwrap_or_else(|| $default)
    };
}

/// The hook types: those that `hook_type` names, and first-party hooks, which `hook_name` names.
macro_rules! hook_types {
    (
        by_type: $($own:ident within $own_ms:literal),+;
        first_party: $($first:ident within $first_ms:literal),+;
        function within $function_ms:literal
    ) => {
        /// Which handler runs a hook.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum HookType {
            $($own,)+
            $($first,)+
            /// A handler of one's own, in the worker's process, by its name.
            Function { name: String },
        }

        /// The config of a hook, by its type.
        #[derive(Clone, Debug, PartialEq)]
        pub enum HookConfig {
            $($own($own),)+
            $($first($first),)+
            Function(Function),
        }

        /// Every type but `function`, whose keys are the handler's own.
        pub const HANDLERS: &[Handler] = &[
            $(described!($own, false, $own_ms),)+
            $(described!($first, true, $first_ms),)+
        ];

        impl HookType {
            /// The name of its handler.
            pub fn handler(&self) -> &str {
                match self {
                    $(Self::$own => $own::NAME,)+
                    $(Self::$first => $first::NAME,)+
                    Self::Function { name } => name,
                }
            }

            /// Milliseconds that an attempt may take where the hook has no `timeout_ms`.
            pub fn timeout_ms(&self) -> u32 {
                match self {
                    $(Self::$own => $own_ms,)+
                    $(Self::$first => $first_ms,)+
                    Self::Function { .. } => $function_ms,
                }
            }
        }

        impl HookConfig {
            /// # Errors
            /// With the path of the first key that cannot be read, or the one that is missing.
            pub fn read(hook_type: &HookType, config: &Map<String, Value>) -> Result<Self, $crate::Fault> {
                Ok(match hook_type {
                    $(HookType::$own => Self::$own($own::read(config)?),)+
                    $(HookType::$first => Self::$first($first::read(config)?),)+
                    HookType::Function { .. } => Self::Function(Function { own: config.clone() }),
                })
            }
        }

        $(config_of!($own);)+
        $(config_of!($first);)+
        config_of!(Function);
    };
}

macro_rules! described {
    ($name:ident, $is_first_party:literal, $timeout_ms:literal) => {
        Handler {
            hook_type: HookType::$name,
            is_first_party: $is_first_party,
            name: $name::NAME,
            about: $name::ABOUT,
            keys: $name::KEYS,
            timeout_ms: $timeout_ms,
        }
    };
}

/// The way from the config of any hook to that of one type.
macro_rules! config_of {
    ($name:ident) => {
        impl $crate::Config for $name {
            fn of(config: &HookConfig) -> Option<&Self> {
                match config {
                    HookConfig::$name(config) => Some(config),
                    _ => None,
                }
            }
        }
    };
}
