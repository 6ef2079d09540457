//! What the extension, the worker and the documents say of one another.

mod architecture;
mod glossary;
mod guide;
mod links;
mod litellm;
mod markdown;
mod model_endpoint;
mod named_files;
mod names;
<<<<<<< HEAD
mod numbers;
mod schema;
=======
mod reference;
>>>>>>> 443f0b4 (Make the reference of SQL, settings and command line from the code)
mod statements;
