//! Lists that come in pages.

/// Asks for one page of a list. The default asks for the first, in the size the server prefers (50).
///
/// ```no_run
/// # async fn print(client: loyalty_sdk::Client) -> Result<(), loyalty_sdk::Error> {
/// let mut next = Some(loyalty_sdk::PageRequest::default());
/// while let Some(request) = next {
///     let page = client.list_programs(&request).await?;
///     for program in page.items {
///         println!("{}", program.program_id);
///     }
///     next = page.next;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// How many items at most, up to 200. 0 means 50.
    pub page_size: u32,
    /// Where the page starts, as the page before said; empty for the first.
    pub page_token: String,
}

impl PageRequest {
    /// The first page, of at most `page_size` items.
    pub fn of(page_size: u32) -> Self {
        Self {
            page_size,
            page_token: String::new(),
        }
    }
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The items, in the order the call documents.
    pub items: Vec<T>,
    /// Asks for the page after this one, in the same size; `None` when this is the last.
    pub next: Option<PageRequest>,
}

impl<T> Page<T> {
    pub(crate) fn new(items: Vec<T>, asked: &PageRequest, next_page_token: String) -> Self {
        let next = (!next_page_token.is_empty()).then_some(PageRequest {
            page_size: asked.page_size,
            page_token: next_page_token,
        });
        Self { items, next }
    }
}
