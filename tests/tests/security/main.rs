//! What somebody gains who means harm: nothing but a clear refusal, while everybody else goes on. Each file is a kind
//! of attack.

mod actors;
mod addresses;
mod at_work;
mod audit;
mod escalation;
mod fairness;
mod floods;
mod functions;
mod fuzz;
mod headers;
mod hooks;
mod limits;
mod locks;
mod log_indexes;
mod matrix;
mod memory;
mod owner;
mod predicates;
mod rights;
mod rows;
mod secrets;
mod sessions;
mod stores;
mod templates;
mod tenants;
mod user_code;
mod views;
mod watches;
mod worker_role;
mod writers;
