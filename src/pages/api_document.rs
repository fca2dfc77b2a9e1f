//! The OpenAPI document as it is read for the page that shows it: the part of OpenAPI that it uses, in its own order.

use std::{collections::BTreeMap, fmt, marker::PhantomData, sync::LazyLock};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};

/// The OpenAPI 3.1 document of the API, as it is served.
pub const DOCUMENT: &str = include_str!("openapi.json");

/// The same, read.
#[expect(clippy::expect_used, reason = "it is embedded; a malformed one fails the first test and the first start")]
pub(super) static READ: LazyLock<Document> =
    LazyLock::new(|| serde_json::from_str(DOCUMENT).expect("the embedded document is well-formed"));

#[derive(Debug, Deserialize)]
pub(super) struct Document {
    pub(super) info: Info,
    pub(super) tags: Vec<Tag>,
    pub(super) paths: Ordered<Ordered<Operation>>,
    pub(super) components: Components,
}

#[derive(Debug, Deserialize)]
pub(super) struct Info {
    pub(super) title: String,
    pub(super) description: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Tag {
    pub(super) name: String,
    pub(super) description: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Operation {
    pub(super) tags: Vec<String>,
    pub(super) operation_id: String,
    pub(super) summary: String,
    #[serde(default)]
    pub(super) description: String,
    pub(super) security: Vec<BTreeMap<String, Vec<String>>>,
    #[serde(default)]
    pub(super) parameters: Vec<Parameter>,
    #[serde(default)]
    pub(super) request_body: Option<Body>,
    pub(super) responses: Ordered<Response>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Parameter {
    pub(super) name: String,
    #[serde(default)]
    pub(super) required: bool,
    pub(super) description: String,
    pub(super) schema: Schema,
}

#[derive(Debug, Deserialize)]
pub(super) struct Body {
    pub(super) content: BTreeMap<String, Media>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Media {
    pub(super) schema: Schema,
    #[serde(default)]
    pub(super) example: Option<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Response {
    #[serde(rename = "$ref")]
    pub(super) reference: Option<String>,
    #[serde(default)]
    pub(super) description: String,
    #[serde(default)]
    pub(super) content: BTreeMap<String, Media>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Components {
    pub(super) security_schemes: BTreeMap<String, Described>,
    pub(super) responses: Ordered<Response>,
    pub(super) schemas: Ordered<Schema>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Described {
    pub(super) description: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Schema {
    #[serde(rename = "$ref")]
    pub(super) reference: Option<String>,
    pub(super) r#type: Types,
    pub(super) format: Option<String>,
    pub(super) description: String,
    pub(super) r#enum: Vec<String>,
    pub(super) items: Option<Box<Schema>>,
    pub(super) one_of: Vec<Schema>,
    pub(super) properties: Ordered<Schema>,
    pub(super) required: Vec<String>,
    pub(super) minimum: Option<i64>,
    pub(super) maximum: Option<i64>,
}

/// One type, or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Types {
    One(String),
    Several(Vec<String>),
}

impl Default for Types {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

impl Types {
    pub(super) fn all(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Several(several) => several,
        }
    }
}

/// The entries of an object, in the order of the text.
#[derive(Debug)]
pub(super) struct Ordered<T>(pub(super) Vec<(String, T)>);

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

struct Entries<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
    type Value = Ordered<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Ordered(entries))
    }
}
