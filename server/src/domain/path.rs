//! Trees given as paths, such as `south/lima`: a node covers itself and everything below it.

/// Whether `node` is `path` or an ancestor of it. `south` covers `south/lima`, not `southern`.
pub(crate) fn covers(node: &str, path: &str) -> bool {
    path.strip_prefix(node)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The path and all its ancestors, the deepest first.
pub(crate) fn lineage(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors((!path.is_empty()).then_some(path), |node| {
        node.rsplit_once('/').map(|(parent, _)| parent)
    })
}

/// How many nodes lead to it; 0 for none.
pub(crate) fn depth(path: &str) -> usize {
    if path.is_empty() { 0 } else { path.split('/').count() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_covers_its_subtree_and_nothing_beside_it() {
        assert!(covers("south", "south"));
        assert!(covers("south", "south/lima"));
        assert!(!covers("south", "southern"));
        assert!(!covers("south/lima", "south"));
        assert_eq!(lineage("a/b/c").collect::<Vec<_>>(), ["a/b/c", "a/b", "a"]);
        assert_eq!(lineage("").count(), 0);
        assert_eq!((depth(""), depth("a"), depth("a/b")), (0, 1, 2));
    }
}
