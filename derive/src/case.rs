//! `rename_all`: the rules of serde, under the same names.

use syn::LitStr;

/// How names are spelled.
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
                Err(syn::Error::new(text.span(), format!("no such case; use one of {}", known.join(", "))))
            }
        }
    }

    /// The name of a field, which is written `snake_case`.
    pub(crate) fn field(self, name: &str) -> String {
        self.join(name.split('_').filter(|word| !word.is_empty()))
    }

    /// The name of a variant, which is written `PascalCase`.
    pub(crate) fn variant(self, name: &str) -> String {
        let starts: Vec<usize> =
            name.char_indices().filter(|(at, c)| *at == 0 || c.is_uppercase()).map(|(at, _)| at).collect();
        let ends = starts.iter().skip(1).copied().chain([name.len()]);
        self.join(starts.iter().zip(ends).filter_map(|(&start, end)| name.get(start..end)))
    }

    fn join<'a>(self, words: impl Iterator<Item = &'a str>) -> String {
        let spelled = words.enumerate().map(|(at, word)| match self {
            Case::Upper | Case::ScreamingSnake | Case::ScreamingKebab => word.to_uppercase(),
            Case::Pascal => capitalized(word),
            Case::Camel if at > 0 => capitalized(word),
            Case::Lower | Case::Snake | Case::Kebab | Case::Camel => word.to_lowercase(),
        });
        let separator = match self {
            Case::Snake | Case::ScreamingSnake => "_",
            Case::Kebab | Case::ScreamingKebab => "-",
            Case::Lower | Case::Upper | Case::Pascal | Case::Camel => "",
        };
        spelled.collect::<Vec<_>>().join(separator)
    }
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters.flat_map(char::to_lowercase)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_spelled_from_snake_case() {
        let spelled = CASES.map(|(_, case)| case.field("created_at"));
        let expected = [
            "createdat",
            "CREATEDAT",
            "CreatedAt",
            "createdAt",
            "created_at",
            "CREATED_AT",
            "created-at",
            "CREATED-AT",
        ];
        assert_eq!(spelled, expected);
    }

    #[test]
    fn variants_are_spelled_from_pascal_case() {
        let spelled = CASES.map(|(_, case)| case.variant("InTransit"));
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
        assert_eq!(spelled, expected);
    }
}
