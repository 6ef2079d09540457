//! Texts without the secrets that this process knows: the name of each in the place of its value. For what a person is
//! shown of a request and its answer. Pure.

use super::Secrets;

impl Secrets {
    /// The text with `${NAME}` wherever the value of a secret stands in it: as it is, as JSON writes it in a string, or
    /// as a URL writes it. A value that holds several secrets is looked for whole and one by one.
    pub fn masked(&self, text: &str) -> String {
        let forms = self.forms();
        let mut masked = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(sign) = rest.chars().next() {
            match forms.iter().find(|(form, _)| rest.starts_with(form.as_str())) {
                Some((form, name)) => {
                    masked.push_str(&format!("${{{name}}}"));
                    rest = &rest[form.len()..];
                }
                None => {
                    masked.push(sign);
                    rest = &rest[sign.len_utf8()..];
                }
            }
        }
        masked
    }

    /// What stands for a secret, each with its name, the longest first.
    fn forms(&self) -> Vec<(String, &str)> {
        let mut forms = Vec::new();
        for (name, value) in self.values.iter() {
            for one in std::iter::once(value.as_str()).chain(value.split_whitespace()) {
                forms.extend([one.to_owned(), in_json(one), in_url(one)].map(|form| (form, name.as_str())));
            }
        }
        forms.retain(|(form, _)| !form.is_empty());
        forms.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        forms.dedup();
        forms
    }
}

fn in_json(value: &str) -> String {
    let quoted = serde_json::Value::from(value).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

fn in_url(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                encoded.push(char::from(byte));
            }
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_is_left_in_any_of_its_forms() {
        let secrets = Secrets::new(
            [
                ("ZERODB_SECRET_A", "k\"3y é"),
                ("ZERODB_SECRET_LONG", "k\"3y é and more"),
                ("ZERODB_SECRET_WEBHOOK", "whsec_one whsec_two"),
                ("ZERODB_SECRET_EMPTY", ""),
                ("ZERODB_SECRET_SHORT", "ZERODB"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        for (text, expected) in [
            ("x k\"3y é.", "x ${ZERODB_SECRET_A}."),
            (r#"{"a":"k\"3y é"}"#, r#"{"a":"${ZERODB_SECRET_A}"}"#),
            ("?t=k%223y%20%C3%A9&b", "?t=${ZERODB_SECRET_A}&b"),
            ("k\"3y é and more", "${ZERODB_SECRET_LONG}"),
            ("whsec_two", "${ZERODB_SECRET_WEBHOOK}"),
            ("ZERODB", "${ZERODB_SECRET_SHORT}"),
            ("nothing of it", "nothing of it"),
            ("", ""),
        ] {
            assert_eq!(secrets.masked(text), expected);
        }
    }
}
