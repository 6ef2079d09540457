//! A request whose answer is read: status, headers and a body of bounded size, for the model endpoints. Their URLs come
//! from the worker's own file, so that http to a neighbour is allowed in production too.

use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::failure::classify;
use super::{Client, HttpError, header_map};

/// A POST to be answered.
pub struct Question {
    pub url: String,
    /// Lower-case names.
    pub headers: Vec<(String, String)>,
    pub body: String,
    /// For all of it: connecting, sending, and reading the answer.
    pub timeout: Duration,
    /// The most bytes of an answer's body.
    pub most: usize,
}

/// What came back, whatever the status.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    /// Lower-case names, in the order of the answer; a value that is not ASCII is left out.
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

impl Reply {
    /// The first header of that lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }
}

impl Client {
    /// Sends the question and reads the answer to its end. Redirects are not followed, so no header goes anywhere else.
    /// Safe to cancel; the request may then have been received.
    ///
    /// # Errors
    /// `TooLarge`, without reading on, when the body has more than `most` bytes. None of them holds the URL or a header.
    pub async fn exchange(&self, question: Question) -> Result<Reply, HttpError> {
        let timeout = question.timeout;
        let sent = self
            .inner
            .post(&question.url)
            .headers(header_map(&question.headers)?)
            .body(question.body)
            .timeout(timeout)
            .send();
        let mut response = sent.await.map_err(|error| classify(&error, timeout))?;
        let too_large = HttpError::TooLarge { most: question.most };
        let announced = response.content_length().unwrap_or_default();
        if usize::try_from(announced).map_or(true, |bytes| bytes > question.most) {
            return Err(too_large);
        }
        let headers = response
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
            .collect();
        let mut body = BytesMut::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| classify(&error, timeout))?
        {
            if body.len() + chunk.len() > question.most {
                return Err(too_large);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply {
            status: response.status().as_u16(),
            headers,
            body: body.freeze(),
        })
    }
}
