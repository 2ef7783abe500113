//! The naming styles of `rename_all`: the same names and rules as in serde.

use syn::LitStr;

/// A naming style.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    Lower,
    Upper,
    Pascal,
    Camel,
    Snake,
    ScreamingSnake,
    Kebab,
    ScreamingKebab,
}

const CASES: [(&str, Case); 8] = [
    ("lowercase", Case::Lower),
    ("UPPERCASE", Case::Upper),
    ("PascalCase", Case::Pascal),
    ("camelCase", Case::Camel),
    ("snake_case", Case::Snake),
    ("SCREAMING_SNAKE_CASE", Case::ScreamingSnake),
    ("kebab-case", Case::Kebab),
    ("SCREAMING-KEBAB-CASE", Case::ScreamingKebab),
];

impl Case {
    pub(crate) fn parse(text: &LitStr) -> syn::Result<Self> {
        let value = text.value();
        match CASES.iter().find(|(name, _)| *name == value) {
            Some((_, case)) => Ok(*case),
            None => {
                let known: Vec<String> = CASES.iter().map(|(name, _)| format!("\"{name}\"")).collect();
                Err(syn::Error::new(
                    text.span(),
                    format!("unknown naming style `{value}`; use one of {}", known.join(", ")),
                ))
            }
        }
    }

    /// Converts the name of a field, which Rust writes in `snake_case`.
    pub(crate) fn field(self, name: &str) -> String {
        match self {
            Case::Lower | Case::Snake => name.to_owned(),
            Case::Upper | Case::ScreamingSnake => name.to_uppercase(),
            Case::Kebab => name.replace('_', "-"),
            Case::ScreamingKebab => name.to_uppercase().replace('_', "-"),
            Case::Pascal => name.split('_').map(capitalize).collect(),
            Case::Camel => uncapitalize(&Case::Pascal.field(name)),
        }
    }

    /// Converts the name of a variant, which Rust writes in `PascalCase`.
    pub(crate) fn variant(self, name: &str) -> String {
        match self {
            Case::Pascal => name.to_owned(),
            Case::Lower => name.to_lowercase(),
            Case::Upper => name.to_uppercase(),
            Case::Camel => uncapitalize(name),
            Case::Snake => {
                let spaced = name.char_indices().flat_map(|(at, letter)| {
                    let separator = (at > 0 && letter.is_uppercase()).then_some('_');
                    separator.into_iter().chain(letter.to_lowercase())
                });
                spaced.collect()
            }
            Case::ScreamingSnake | Case::Kebab | Case::ScreamingKebab => self.field(&Case::Snake.variant(name)),
        }
    }
}

fn capitalize(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn uncapitalize(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_converted_from_snake_case() {
        let converted = CASES.map(|(_, case)| case.field("created_at"));
        let expected = [
            "created_at",
            "CREATED_AT",
            "CreatedAt",
            "createdAt",
            "created_at",
            "CREATED_AT",
            "created-at",
            "CREATED-AT",
        ];
        assert_eq!(converted, expected);
    }

    #[test]
    fn leading_underscores_follow_serde() {
        assert_eq!(Case::Snake.field("_id"), "_id");
        assert_eq!(Case::Camel.field("_id"), "id");
        assert_eq!(Case::Camel.field("user_ID"), "userID");
    }

    #[test]
    fn variants_are_converted_from_pascal_case() {
        let converted = CASES.map(|(_, case)| case.variant("InTransit"));
        let expected = [
            "intransit",
            "INTRANSIT",
            "InTransit",
            "inTransit",
            "in_transit",
            "IN_TRANSIT",
            "in-transit",
            "IN-TRANSIT",
        ];
        assert_eq!(converted, expected);
    }
}
