//! Writes HTML in which nothing but this program's own text is markup.

/// A part of a page.
///
/// Names of tags and attributes are `'static`, so they come from this program. All else is escaped. So no key or value can
/// become markup, whatever it contains.
#[derive(Debug, Default)]
pub(super) struct Html(String);

/// The attributes of a tag.
pub(super) type Attributes<'a> = &'a [(&'static str, &'a str)];

impl Html {
    /// Returns what has been written.
    pub(super) fn into_string(self) -> String {
        self.0
    }

    /// Adds text of this program, which may be markup.
    pub(super) fn markup(&mut self, markup: &'static str) {
        self.0.push_str(markup);
    }

    /// Adds another part.
    pub(super) fn append(&mut self, part: &Html) {
        self.0.push_str(&part.0);
    }

    /// Adds text.
    pub(super) fn text(&mut self, text: &str) {
        push_escaped(&mut self.0, text);
    }

    /// Adds an element around what `content` writes.
    pub(super) fn tag(&mut self, name: &'static str, attributes: Attributes<'_>, content: impl FnOnce(&mut Html)) {
        self.open(name, attributes);
        content(self);
        for part in ["</", name, ">"] {
            self.0.push_str(part);
        }
    }

    /// Adds an element around a text.
    pub(super) fn leaf(&mut self, name: &'static str, attributes: Attributes<'_>, text: &str) {
        self.tag(name, attributes, |html| html.text(text));
    }

    /// Adds an element without content, such as `input`.
    pub(super) fn void(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.open(name, attributes);
    }

    /// Adds a link.
    pub(super) fn link(&mut self, target: &str, text: &str) {
        self.leaf("a", &[("href", target)], text);
    }

    fn open(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.0.push('<');
        self.0.push_str(name);
        for (attribute, value) in attributes {
            for part in [" ", attribute, "=\""] {
                self.0.push_str(part);
            }
            push_escaped(&mut self.0, value);
            self.0.push('"');
        }
        self.0.push('>');
    }
}

fn push_escaped(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_attributes_are_no_markup() {
        let mut html = Html::default();
        html.tag("p", &[("title", "a\" onclick='x' & <b>")], |html| html.text("</p><script>alert(\"1\")</script>"));
        assert_eq!(
            html.into_string(),
            "<p title=\"a&quot; onclick=&#39;x&#39; &amp; &lt;b&gt;\">&lt;/p&gt;&lt;script&gt;alert(&quot;1&quot;)\
             &lt;/script&gt;</p>"
        );
    }
}
