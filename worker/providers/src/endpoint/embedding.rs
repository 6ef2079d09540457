//! Embedding at an endpoint: in the form that its server is known to understand, and in a plainer one where that is
//! refused.

use std::time::Duration;

use super::call::{Call, CallAnswer, CallError};
use super::{Endpoint, EndpointModel, estimate};
use crate::address::Operation;
use crate::dialect::Dialect;
use crate::embeddings::{self, EmbedRequest, Embeddings};
use crate::error::{Advice, Class, ProviderError};
use crate::refusal::Asked;
use crate::vectors::{self, Vectors};

/// A text that every model takes.
const PROBE: &str = "ok";

impl Endpoint {
    /// # Errors
    /// See `Provider::embed`.
    pub async fn embed(
        &self,
        request: &EmbedRequest<'_>,
        deadline: Duration,
    ) -> Result<Embeddings, ProviderError> {
        let model = self.model(request.model)?;
        self.recall(&model).await;
        let dimensions = request.dimensions.or(self.config.dimensions);
        let mut call = Call::new(self, request.who, Operation::Embeddings, &model, deadline);
        let mut dialect = self.models.dialect(&model.real);
        let CallAnswer { taken, request_id } = loop {
            match call.vectors(request.inputs, dimensions, dialect).await {
                Ok(answered) => break answered,
                Err(refused) => {
                    dialect = self
                        .next_form(&mut call, &model, dimensions, dialect, refused)
                        .await?
                }
            }
        };
        self.models.update(&model.real, |known| known.embedded(dialect));
        let estimated = embeddings::tokens(request.inputs);
        let Vectors { vectors, usage } = taken;
        let usage = usage.unwrap_or(estimate(estimated, 0));
        self.settle(estimated, usage).await;
        Ok(Embeddings {
            vectors,
            usage,
            model: model.identity,
            request_id,
        })
    }

    /// The form in which to ask again. A refusal without a reason, from a server that has not served yet, may be about
    /// the form or about the texts: one short text shows which.
    ///
    /// # Errors
    /// The refusal, where no other form helps.
    async fn next_form(
        &self,
        call: &mut Call<'_>,
        model: &EndpointModel,
        dimensions: Option<usize>,
        tried: Dialect,
        mut refused: CallError,
    ) -> Result<Dialect, ProviderError> {
        if let Some(parameter) = refused.about {
            return self.without(model, tried, parameter).ok_or(refused.error);
        }
        if !refused.vague || tried.encoding_proven {
            return Err(refused.error);
        }
        for form in [Some(tried), tried.plain_encoding()].into_iter().flatten() {
            match call.vectors(&[PROBE.to_owned()], dimensions, form).await {
                Ok(_) => {
                    self.models.update(&model.real, |known| known.embedded(form));
                    return if form == tried {
                        Err(refused.error)
                    } else {
                        Ok(form)
                    };
                }
                Err(other) if other.vague => {}
                // Nothing follows from it, such as a limit that was met.
                Err(_) => return Err(refused.error),
            }
        }
        if refused.error.class == Class::BadRequest {
            refused.error.advice = Advice::ConfigError;
            refused
                .error
                .message
                .push_str("; it refuses any text, so check url and model");
        }
        Err(refused.error)
    }
}

impl Call<'_> {
    async fn vectors(
        &mut self,
        inputs: &[String],
        dimensions: Option<usize>,
        dialect: Dialect,
    ) -> Result<CallAnswer<Vectors>, CallError> {
        let body = embeddings::body(self.model_name(), inputs, dimensions, dialect);
        let asked = Asked {
            inputs: inputs.len(),
            tokens: usize::try_from(embeddings::tokens(inputs)).unwrap_or(usize::MAX),
            parameters: embeddings::parameters(dimensions, dialect),
        };
        let read = |body: &[u8]| vectors::read(body, inputs.len(), dimensions);
        self.ask(&body, &asked, read).await
    }
}
