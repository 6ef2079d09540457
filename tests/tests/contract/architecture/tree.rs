//! The modules of one crate: which file each is written in, what it defines, and which names it imports. Code under
//! `cfg(test)` does not count.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use syn::visit::Visit;
use syn::{Attribute, Item, ItemMod, ItemUse, UseTree};

/// A path from the root of the crate, by the names of modules and at last of an item.
pub type Absolute = Vec<String>;

#[derive(Default)]
pub struct Module {
    pub file: usize,
    pub path: Absolute,
    pub children: BTreeMap<String, usize>,
    /// Names that are defined here.
    pub items: BTreeSet<String>,
    /// Names that a `use` brings, as they are written there.
    pub names: BTreeMap<String, Vec<String>>,
    /// Modules all of whose names are brought.
    pub globs: Vec<Vec<String>>,
}

pub struct File {
    pub path: PathBuf,
    pub module: usize,
    pub items: Vec<Item>,
}

#[derive(Default)]
pub struct Tree {
    pub files: Vec<File>,
    pub modules: Vec<Module>,
}

/// One name of a `use`.
pub struct Imported {
    pub path: Vec<String>,
    /// `None` for a glob.
    pub name: Option<String>,
}

impl Tree {
    /// Everything that is reached from the root file of a library, a program or a test.
    pub fn of(root: &Path) -> Result<Self> {
        let mut tree = Self::default();
        let folder = root.parent().context("a root lies in a folder")?;
        tree.read(root, folder, Vec::new())?;
        Ok(tree)
    }

    /// Reads a module that is a file; the files of its own modules lie in `folder`.
    fn read(&mut self, path: &Path, folder: &Path, name: Absolute) -> Result<usize> {
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let items = syn::parse_file(&text)
            .with_context(|| path.display().to_string())?
            .items;
        let file = self.files.len();
        self.files.push(File {
            path: path.to_owned(),
            module: self.modules.len(),
            items: Vec::new(),
        });
        let module = self.module(file, name, &items, folder)?;
        self.files[file].items = items;
        Ok(module)
    }

    fn module(&mut self, file: usize, path: Absolute, items: &[Item], folder: &Path) -> Result<usize> {
        let at = self.modules.len();
        let mut module = Module {
            file,
            path: path.clone(),
            ..Module::default()
        };
        let mut uses = Uses(&mut module);
        items.iter().for_each(|item| uses.visit_item(item));
        module.items.extend(items.iter().filter_map(defined));
        self.modules.push(module);
        for item in items {
            if let Item::Mod(child) = item
                && !is_for_tests(&child.attrs)
            {
                let name = child.ident.to_string();
                let below = [path.clone(), vec![name.clone()]].concat();
                let child = self.child(file, child, below, folder)?;
                self.modules[at].children.insert(name, child);
            }
        }
        Ok(at)
    }

    fn child(&mut self, file: usize, child: &ItemMod, path: Absolute, folder: &Path) -> Result<usize> {
        let below = folder.join(child.ident.to_string());
        if let Some((_, items)) = &child.content {
            return self.module(file, path, items, &below);
        }
        if let Some(named) = path_attribute(&child.attrs) {
            let beside = self.files[file]
                .path
                .parent()
                .context("a file lies in a folder")?;
            let named = beside.join(named);
            let folder = named.parent().context("a file lies in a folder")?.to_owned();
            return self.read(&named, &folder, path);
        }
        let alone = below.with_extension("rs");
        let file = if alone.exists() {
            alone
        } else {
            below.join("mod.rs")
        };
        self.read(&file, &below, path)
    }
}

/// The name that an item defines.
fn defined(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::TraitAlias(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}

/// The names that are brought anywhere in a module, also within functions.
struct Uses<'a>(&'a mut Module);

impl<'a> Visit<'a> for Uses<'_> {
    fn visit_item_use(&mut self, item: &'a ItemUse) {
        for imported in imported(item) {
            match imported.name {
                Some(name) => drop(self.0.names.insert(name, imported.path)),
                None => self.0.globs.push(imported.path),
            }
        }
    }

    fn visit_item_mod(&mut self, _other_module: &'a ItemMod) {}
}

pub fn imported(item: &ItemUse) -> Vec<Imported> {
    let mut found = Vec::new();
    flatten(&item.tree, &mut Vec::new(), &mut found);
    found
}

fn flatten(tree: &UseTree, before: &mut Vec<String>, found: &mut Vec<Imported>) {
    let ends = |last: &syn::Ident, name: &syn::Ident| {
        let mut path = before.clone();
        // `a::{self}` is `a`.
        path.extend((last != "self").then(|| last.to_string()));
        let name = if name == "self" {
            path.last().cloned()
        } else {
            Some(name.to_string())
        };
        Imported { path, name }
    };
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            flatten(&path.tree, before, found);
            before.pop();
        }
        UseTree::Name(name) => found.push(ends(&name.ident, &name.ident)),
        UseTree::Rename(name) => found.push(ends(&name.ident, &name.rename)),
        UseTree::Glob(_) => found.push(Imported {
            path: before.clone(),
            name: None,
        }),
        UseTree::Group(group) => group.items.iter().for_each(|item| flatten(item, before, found)),
    }
}

pub fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let said = match &attribute.meta {
            syn::Meta::List(list) if list.path.is_ident("cfg") => list.tokens.to_string(),
            _ => return false,
        };
        !said.starts_with("not") && (said.contains("test") || said.contains("pg_test"))
    })
}

fn path_attribute(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| match &attribute.meta {
        syn::Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            syn::Expr::Lit(literal) => match &literal.lit {
                syn::Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    })
}
