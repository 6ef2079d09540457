//! The settings that a vector depends on beside its text. Pure.

use super::layout::Layout;
use zerodb_hooks_contract::hooks::AutoEmbed;
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_engine::verdict;
use zerodb_hooks_providers::Provider;

/// The recipe of the vectors of one hook and table.
#[derive(Debug, Clone)]
pub struct EmbedRecipe {
    pub template: Option<String>,
    pub model: String,
    pub dimensions: Option<usize>,
    /// Also where the application has given a vector of its own.
    pub replaces_given: bool,
}

impl EmbedRecipe {
    /// # Errors
    /// Permanent, when the hook and the column have other dimensions; deferred, when the provider names no model.
    pub fn of(
        config: &AutoEmbed,
        layout: &Layout,
        provider: &Provider,
        replaces_given: bool,
    ) -> Result<Self, HandlerError> {
        let wanted = config.dimensions.map(|own| own.as_usize());
        if let (Some(wanted), Some(has)) = (wanted, layout.dimensions())
            && wanted != has
        {
            return Err(HandlerError::permanent(format!(
                "wrong_dimensions: the hook wants {wanted}, the vectors of {} have {has}",
                layout.row().table
            )));
        }
        let model = provider.identity(config.model.as_deref());
        Ok(Self {
            template: config.template.as_deref().map(ToOwned::to_owned),
            model: model.map_err(|error| verdict::of_model(&error))?,
            dimensions: wanted.or(layout.dimensions()),
            replaces_given,
        })
    }
}
