//! The crate's own source as a tree of modules, and which items of it others can name.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use syn::{Attribute, Item, Meta, UseTree, Visibility};

/// A module with what stands in it.
#[derive(Default)]
pub(super) struct Module {
    pub(super) items: Vec<Item>,
    children: BTreeMap<String, (bool, Module)>,
    /// Names that are made public here, or within the crate, and the path below `self` or `crate` that they come from.
    uses: Vec<Use>,
}

struct Use {
    public: bool,
    name: String,
    from: Vec<String>,
}

/// An item under the path by which others name it.
pub(super) struct Named<'a> {
    pub(super) path: String,
    pub(super) item: &'a Item,
}

impl Module {
    /// The crate, from `src/lib.rs`.
    pub(super) fn of_crate() -> Self {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        Self::read(&src.join("lib.rs"), &src)
    }

    /// `folder` is where the files of its child modules are.
    fn read(file: &Path, folder: &Path) -> Self {
        let text = fs::read_to_string(file).unwrap();
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let mut module = Self::default();
        for item in parsed.items {
            if is_for_tests(item_attributes(&item)) {
                continue;
            }
            match item {
                Item::Mod(child) if child.content.is_none() => {
                    let name = child.ident.to_string();
                    let (file, folder) = place(folder, &name);
                    let public = matches!(child.vis, Visibility::Public(_));
                    module.children.insert(name, (public, Self::read(&file, &folder)));
                }
                Item::Use(import) => {
                    let public = matches!(import.vis, Visibility::Public(_));
                    collect(&import.tree, &mut Vec::new(), public, &mut module.uses);
                }
                other => module.items.push(other),
            }
        }
        module
    }

    /// Every public item below `path`, under each name that it has.
    pub(super) fn named<'a>(&'a self, root: &'a Self, path: &str, found: &mut Vec<Named<'a>>) {
        for item in self.items.iter().filter(|item| is_public(item)) {
            if let Some(name) = name(item) {
                found.push(Named {
                    path: format!("{path}::{name}"),
                    item,
                });
            }
        }
        for import in self.uses.iter().filter(|import| import.public) {
            // What is of another crate is not found, and not ours to list.
            if let Some(item) = self.find(root, &import.from) {
                found.push(Named {
                    path: format!("{path}::{}", import.name),
                    item,
                });
            }
        }
        for (name, (public, child)) in &self.children {
            if *public {
                child.named(root, &format!("{path}::{name}"), found);
            }
        }
    }

    /// All modules, for the impls that stand anywhere.
    pub(super) fn all(&self) -> Vec<&Self> {
        let children = self.children.values().flat_map(|(_, child)| child.all());
        std::iter::once(self).chain(children).collect()
    }

    fn find<'a>(&'a self, root: &'a Self, path: &[String]) -> Option<&'a Item> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "self" => return self.find(root, rest),
            "crate" => return root.find(root, rest),
            _ => {}
        }
        if rest.is_empty() {
            let own = self
                .items
                .iter()
                .find(|item| name(item).as_deref() == Some(first));
            return own.or_else(|| {
                // A crate that is named whole comes from itself.
                let leads_on = |import: &&Use| import.name == *first && import.from != path;
                let import = self.uses.iter().find(leads_on)?;
                self.find(root, &import.from)
            });
        }
        let (_, child) = self.children.get(first)?;
        child.find(root, rest)
    }
}

/// The file of a module, and the folder of its children.
fn place(folder: &Path, name: &str) -> (PathBuf, PathBuf) {
    let own = folder.join(name);
    let file = own.join("mod.rs");
    if file.exists() {
        (file, own)
    } else {
        (folder.join(format!("{name}.rs")), own)
    }
}

fn collect(tree: &UseTree, path: &mut Vec<String>, public: bool, uses: &mut Vec<Use>) {
    let mut add = |name: &syn::Ident, from: &syn::Ident| {
        let mut whole = path.clone();
        whole.push(from.to_string());
        uses.push(Use {
            public,
            name: name.to_string(),
            from: whole,
        });
    };
    match tree {
        UseTree::Name(leaf) => add(&leaf.ident, &leaf.ident),
        UseTree::Rename(leaf) => add(&leaf.rename, &leaf.ident),
        UseTree::Path(step) => {
            path.push(step.ident.to_string());
            collect(&step.tree, path, public, uses);
            path.pop();
        }
        UseTree::Group(group) => {
            for tree in &group.items {
                collect(tree, path, public, uses);
            }
        }
        // The crate makes nothing public by a glob.
        UseTree::Glob(_) => {}
    }
}

pub(super) fn name(item: &Item) -> Option<String> {
    Some(match item {
        Item::Struct(item) => item.ident.to_string(),
        Item::Enum(item) => item.ident.to_string(),
        Item::Trait(item) => item.ident.to_string(),
        Item::Type(item) => item.ident.to_string(),
        Item::Const(item) => item.ident.to_string(),
        Item::Fn(item) => item.sig.ident.to_string(),
        _ => return None,
    })
}

fn is_public(item: &Item) -> bool {
    let visibility = match item {
        Item::Struct(item) => &item.vis,
        Item::Enum(item) => &item.vis,
        Item::Trait(item) => &item.vis,
        Item::Type(item) => &item.vis,
        Item::Const(item) => &item.vis,
        Item::Fn(item) => &item.vis,
        _ => return false,
    };
    matches!(visibility, Visibility::Public(_))
}

fn item_attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Mod(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// `#[cfg(test)]` and `#[cfg(doctest)]`.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => {
            let condition = list.tokens.to_string();
            condition == "test" || condition == "doctest"
        }
        _ => false,
    })
}
