//! Which file of a crate uses which other one. It says nothing about whether it may.
//!
//! A file uses another one when a path in its code, in a `use` that is not `pub`, or among the words of a macro's call
//! leads to an item that is written there. What leads through a `pub use` counts as the use of the file in which the
//! item is written, so a module that only hands on what its children have is used by nobody. A child that names what
//! the file of a module above it defines uses that file. A module's use of what lies below it does not count: it is
//! the face of its folder, and declares, starts or lists what is in it. Code under `cfg(test)` does not count either.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{ImplItemFn, Item, ItemMod, ItemUse, Macro, Path, Visibility};

use super::tree::{Absolute, Imported, Tree, imported, is_for_tests};

/// Longest chain of names that stand for one another.
const MOST_STEPS: usize = 16;

/// Pairs of files, the user first.
pub fn edges(tree: &Tree) -> BTreeSet<(usize, usize)> {
    let mut found = BTreeSet::new();
    for (at, file) in tree.files.iter().enumerate() {
        let mut reader = Reader {
            tree,
            file: at,
            module: file.module,
            found: &mut found,
        };
        file.items.iter().for_each(|item| reader.visit_item(item));
    }
    found
}

/// Where a path leads.
enum Place {
    Module(usize),
    Item { file: usize },
}

impl Tree {
    /// A path as it is written in a module, from the root; `None` where it leaves the crate.
    fn absolute(&self, module: usize, path: &[String]) -> Option<Absolute> {
        let here = &self.modules[module];
        let (first, rest) = path.split_first()?;
        let start = match first.as_str() {
            "crate" => Vec::new(),
            "self" => here.path.clone(),
            "super" => return self.absolute_above(&here.path, path),
            name if here.children.contains_key(name) => [here.path.clone(), vec![name.into()]].concat(),
            name => {
                let stands_for = here
                    .names
                    .get(name)
                    .filter(|brought| brought.first() != Some(first))?;
                self.absolute(module, stands_for)?
            }
        };
        Some([start, rest.to_vec()].concat())
    }

    fn absolute_above(&self, here: &[String], path: &[String]) -> Option<Absolute> {
        let up = path.iter().take_while(|part| *part == "super").count();
        let start = here.get(..here.len().checked_sub(up)?)?;
        Some([start.to_vec(), path[up..].to_vec()].concat())
    }

    fn place(&self, path: &[String], steps: usize) -> Option<Place> {
        let mut module = 0;
        for (at, part) in path.iter().enumerate() {
            let here = &self.modules[module];
            let is_last = at + 1 == path.len();
            let child = here.children.get(part);
            let named = here.items.contains(part) || here.names.contains_key(part);
            match child {
                Some(child) if !(is_last && named) => module = *child,
                _ => return self.item(module, &path[at..], steps),
            }
        }
        Some(Place::Module(module))
    }

    /// An item by its name in a module, which may have it from elsewhere.
    fn item(&self, module: usize, rest: &[String], steps: usize) -> Option<Place> {
        let here = &self.modules[module];
        let (name, more) = rest.split_first()?;
        if here.items.contains(name) || steps == MOST_STEPS {
            return Some(Place::Item { file: here.file });
        }
        if let Some(brought) = here.names.get(name) {
            let whole = [self.absolute(module, brought)?, more.to_vec()].concat();
            return self.place(&whole, steps + 1);
        }
        let through = |glob: &Vec<String>| {
            let whole = [self.absolute(module, glob)?, rest.to_vec()].concat();
            match self.place(&whole, steps + 1)? {
                Place::Item { file } if self.defines(file, name) => Some(Place::Item { file }),
                _ => None,
            }
        };
        let found = here.globs.iter().find_map(through);
        // A name that no item has: what a macro makes, in this file.
        Some(found.unwrap_or(Place::Item { file: here.file }))
    }

    fn defines(&self, file: usize, name: &str) -> bool {
        let modules = self.modules.iter().filter(|module| module.file == file);
        modules.into_iter().any(|module| module.items.contains(name))
    }
}

impl Tree {
    /// Whether a file's module lies within another file's.
    fn is_below(&self, file: usize, above: usize) -> bool {
        let path = |file: usize| &self.modules[self.files[file].module].path;
        path(file).starts_with(path(above))
    }
}

struct Reader<'a> {
    tree: &'a Tree,
    file: usize,
    module: usize,
    found: &'a mut BTreeSet<(usize, usize)>,
}

impl Reader<'_> {
    fn uses(&mut self, path: &[String]) {
        let absolute = self.tree.absolute(self.module, path);
        let place = absolute.and_then(|path| self.tree.place(&path, 0));
        if let Some(Place::Item { file }) = place {
            self.uses_file(file);
        }
    }

    fn uses_file(&mut self, file: usize) {
        if file != self.file && !self.tree.is_below(file, self.file) {
            self.found.insert((self.file, file));
        }
    }

    fn imports(&mut self, imported: &Imported) {
        if imported.name.is_some() {
            return self.uses(&imported.path);
        }
        let absolute = self.tree.absolute(self.module, &imported.path);
        match absolute.and_then(|path| self.tree.place(&path, 0)) {
            Some(Place::Module(module)) => self.uses_file(self.tree.modules[module].file),
            Some(Place::Item { file }) => self.uses_file(file),
            None => {}
        }
    }

    /// The paths among the words of a macro's call.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(name) if colons == 2 => path.push(name.to_string()),
                TokenTree::Ident(name) => {
                    self.uses(&std::mem::take(&mut path));
                    path.push(name.to_string());
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => {
                    colons += 1;
                    continue;
                }
                TokenTree::Group(group) => {
                    self.uses(&std::mem::take(&mut path));
                    self.tokens(group.stream());
                }
                _ => self.uses(&std::mem::take(&mut path)),
            }
            colons = 0;
        }
        self.uses(&path);
    }
}

impl<'a> Visit<'a> for Reader<'_> {
    fn visit_item(&mut self, item: &'a Item) {
        if !attributes(item).is_some_and(is_for_tests) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'a ImplItemFn) {
        if !is_for_tests(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_item_mod(&mut self, item: &'a ItemMod) {
        if let (Some((_, items)), Some(child)) = (
            &item.content,
            self.tree.modules[self.module]
                .children
                .get(&item.ident.to_string()),
        ) {
            let outside = std::mem::replace(&mut self.module, *child);
            items.iter().for_each(|item| self.visit_item(item));
            self.module = outside;
        }
    }

    fn visit_item_use(&mut self, item: &'a ItemUse) {
        if matches!(item.vis, Visibility::Inherited) {
            imported(item).iter().for_each(|one| self.imports(one));
        }
    }

    fn visit_path(&mut self, path: &'a Path) {
        let names: Vec<_> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        self.uses(&names);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'a Macro) {
        self.visit_path(&call.path);
        self.tokens(call.tokens.clone());
    }

    fn visit_visibility(&mut self, _names_no_item: &'a Visibility) {}
}

fn attributes(item: &Item) -> Option<&[syn::Attribute]> {
    Some(match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => return None,
    })
}
