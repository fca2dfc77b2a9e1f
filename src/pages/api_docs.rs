//! The API, to be read by people: made from the document that machines read, so that the two cannot differ.

use serde::Serialize;

use super::{
    Page,
    api_document::{Document, Media, Operation, Ordered, Parameter, READ, Response, Schema, Tag},
    frame::Frame,
    samples,
};

/// The page.
#[derive(Debug, Clone, Serialize)]
pub struct ApiDocs {
    frame: Frame,
    title: &'static str,
    lead: &'static str,
    key: &'static str,
    /// The address of the service, for the example.
    base: String,
    groups: Vec<Group>,
    problems: Vec<Problem>,
    schemas: Vec<Shape>,
}

#[derive(Debug, Clone, Serialize)]
struct Group {
    name: &'static str,
    description: &'static str,
    routes: Vec<Route>,
}

#[derive(Debug, Clone, Serialize)]
struct Route {
    id: &'static str,
    method: String,
    path: &'static str,
    summary: &'static str,
    description: &'static str,
    /// The scope that a key needs; none where no key is needed.
    scope: Option<&'static str>,
    parameters: Vec<Field>,
    body: Option<Kind>,
    example: Option<String>,
    answers: Vec<Answer>,
}

#[derive(Debug, Clone, Serialize)]
struct Answer {
    status: &'static str,
    description: &'static str,
    kind: Option<Kind>,
    /// The place of the problem on this page.
    problem: Option<&'static str>,
}

#[derive(Debug, Clone, Serialize)]
struct Field {
    name: &'static str,
    required: bool,
    kind: Kind,
    description: &'static str,
}

/// What a value is, in words: `list of `, a schema's name to be linked, ` or null`.
#[derive(Debug, Clone, Default, Serialize)]
struct Kind {
    before: String,
    schema: Option<&'static str>,
    after: String,
}

#[derive(Debug, Clone, Serialize)]
struct Problem {
    name: &'static str,
    description: &'static str,
}

#[derive(Debug, Clone, Serialize)]
struct Shape {
    name: &'static str,
    description: &'static str,
    fields: Vec<Field>,
}

impl ApiDocs {
    /// The page of the service at this address.
    #[must_use]
    pub fn new(frame: Frame, base: &str) -> Self {
        let document: &'static Document = &READ;
        let group = |tag: &'static Tag| Group {
            name: &tag.name,
            description: &tag.description,
            routes: routes(document).filter(|(_, of)| of.contains(&tag.name)).map(|(route, _)| route).collect(),
        };
        let problem =
            |(name, response): &'static (String, Response)| Problem { name, description: &response.description };
        let key = document.components.security_schemes.get("apiKey");
        Self {
            frame,
            title: &document.info.title,
            lead: &document.info.description,
            key: key.map_or("", |key| &key.description),
            base: base.to_owned(),
            groups: document.tags.iter().map(group).collect(),
            problems: document.components.responses.0.iter().map(problem).collect(),
            schemas: document.components.schemas.0.iter().map(|(name, schema)| shape(name, schema)).collect(),
        }
    }
}

/// Every route with its tags.
fn routes(document: &'static Document) -> impl Iterator<Item = (Route, &'static [String])> {
    let of_path = move |(path, operations): &'static (String, Ordered<Operation>)| {
        operations.0.iter().map(move |(method, operation)| (route(document, method, path, operation), &*operation.tags))
    };
    document.paths.0.iter().flat_map(of_path)
}

fn route(document: &'static Document, method: &str, path: &'static str, operation: &'static Operation) -> Route {
    let media = operation.request_body.as_ref().and_then(|body| body.content.values().next());
    let parameter = |one: &'static Parameter| Field {
        name: &one.name,
        required: one.required,
        kind: kind(&one.schema),
        description: &one.description,
    };
    let scopes = operation.security.iter().flat_map(|scheme| scheme.values().flatten());
    Route {
        id: &operation.operation_id,
        method: method.to_uppercase(),
        path,
        summary: &operation.summary,
        description: &operation.description,
        scope: scopes.map(String::as_str).next(),
        parameters: operation.parameters.iter().map(parameter).collect(),
        body: media.map(|media| kind(&media.schema)),
        example: media.and_then(|media| media.example.as_ref()).map(ToString::to_string),
        answers: operation.responses.0.iter().map(|(status, answer)| told(document, status, answer)).collect(),
    }
}

fn told(document: &'static Document, status: &'static str, response: &'static Response) -> Answer {
    let problem = response.reference.as_deref().and_then(last_part);
    let shared = document.components.responses.0.iter().find(|(name, _)| Some(&**name) == problem);
    let description = shared.map_or(&response.description, |(_, shared)| &shared.description);
    let media: Option<&Media> = response.content.values().next();
    Answer { status, description, kind: media.map(|media| kind(&media.schema)), problem }
}

fn shape(name: &'static str, schema: &'static Schema) -> Shape {
    let field = |(name, field): &'static (String, Schema)| Field {
        name,
        required: schema.required.contains(name),
        kind: kind(field),
        description: &field.description,
    };
    Shape { name, description: &schema.description, fields: schema.properties.0.iter().map(field).collect() }
}

/// The last part of `#/components/schemas/Name`.
fn last_part(reference: &'static str) -> Option<&'static str> {
    reference.rsplit('/').next()
}

fn kind(schema: &'static Schema) -> Kind {
    if let Some(reference) = &schema.reference {
        return Kind { schema: last_part(reference), ..Kind::default() };
    }
    if let Some(items) = &schema.items {
        let of = kind(items);
        return Kind { before: format!("list of {}", of.before), ..of };
    }
    if let Some(first) = schema.one_of.first() {
        return Kind { after: " or null".to_owned(), ..kind(first) };
    }
    let types = schema.r#type.all();
    let mut words = types.first().cloned().unwrap_or_default();
    if let Some(format) = &schema.format {
        words = format!("{words}, {format}");
    }
    if let (Some(minimum), Some(maximum)) = (schema.minimum, schema.maximum) {
        words = format!("{words} from {minimum} to {maximum}");
    }
    if !schema.r#enum.is_empty() {
        words = schema.r#enum.join(" | ");
    }
    let after = if types.iter().any(|one| one == "null") { " or null" } else { "" };
    Kind { before: words, schema: None, after: after.to_owned() }
}

impl Page for ApiDocs {
    const TEMPLATE: &'static str = "api_docs.html";

    fn samples() -> Vec<Self> {
        vec![Self::new(samples::neutral_frame(), "https://license.example")]
    }
}
