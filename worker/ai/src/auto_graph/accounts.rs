//! What a memory costs: asks the budgets of its tenant before the models are asked, and writes the ledger after.

use super::asking::Cost;
use super::config::Config;
use crate::spending::{self, Account, Spent};
use zerodb_hooks_delivery::delivery::Delivery;
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_engine::Context;

/// One for the model that chats and one for that which embeds; none for rules, which cost nothing.
pub struct Accounts {
    chat: Option<Account>,
    embedding: Option<Account>,
}

impl Accounts {
    /// # Errors
    /// Deferred, when a budget of the tenant is used up.
    pub async fn open(context: &Context, delivery: &Delivery, config: &Config) -> Result<Self, HandlerError> {
        let open = async || {
            let tenant = std::iter::once(spending::tenant(delivery));
            let (account, refused) = Account::open(context, &delivery.hook, tenant).await?;
            refused.into_values().next().map_or(Ok(account), Err)
        };
        let chat = match config.provider.can_chat() {
            true => Some(open().await?),
            false => None,
        };
        let embedding = match config.embedding {
            Some(_) => Some(open().await?),
            None => None,
        };
        Ok(Self { chat, embedding })
    }

    pub async fn close(self, context: &Context, delivery: &Delivery, config: &Config, cost: Cost) {
        let hook = &delivery.hook;
        let close = async |account: Account, provider: &str, model: &str, spent: Spent| {
            account.close(context, hook, provider, model, spent).await;
        };
        if let Some(account) = self.chat {
            close(account, config.provider.name(), &config.identity, cost.chat).await;
        }
        if let (Some(account), Some(by)) = (self.embedding, &config.embedding) {
            close(account, by.provider.name(), &by.identity, cost.embedding).await;
        }
    }
}
