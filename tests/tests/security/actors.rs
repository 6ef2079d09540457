//! The people of these tests: an administrator, two users who do not know each other, and the worker's role. It only
//! sets the scene; it asserts nothing.

use zerodb_hooks_harness::{Database, Result, Session};

/// The tenant of the one who means harm.
pub const MALLORY: &str = "aaaaaaaa-0000-4000-8000-000000000001";
/// The tenant of the one who must not notice.
pub const VICTIM: &str = "bbbbbbbb-0000-4000-8000-000000000002";
/// What stands for "every user".
pub const EVERY_USER: &str = "00000000-0000-0000-0000-000000000000";

/// A database with an event type `app.thing`, and roles `…_mallory` and `…_victim`, each with the rights of a user, a
/// schema of his own with the role's name, and a session for his tenant.
pub struct Stage {
    pub admin: Session,
    pub mallory: Session,
    pub mallory_role: String,
    pub victim: Session,
    pub victim_role: String,
}

impl Stage {
    pub async fn set(db: &Database) -> Result<Self> {
        let admin = db.session().await?;
        admin
            .run("SELECT zerodb.register_event_type('app.thing', 'app', '{id,note}', 'a thing')")
            .await?;
        let (mallory, mallory_role) = user(db, &admin, "mallory", MALLORY).await?;
        let (victim, victim_role) = user(db, &admin, "victim", VICTIM).await?;
        Ok(Self {
            admin,
            mallory,
            mallory_role,
            victim,
            victim_role,
        })
    }

    /// A function of one jsonb argument in mallory's schema that makes him a superuser when a superuser calls it.
    pub async fn canary(&self) -> Result<String> {
        let role = &self.mallory_role;
        let name = format!("{role}.canary");
        self.mallory
            .run(&format!(
                "CREATE OR REPLACE FUNCTION {name}(e jsonb) RETURNS void LANGUAGE plpgsql AS $$
                BEGIN
                    IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
                        EXECUTE 'ALTER ROLE {role} SUPERUSER';
                    END IF;
                END $$"
            ))
            .await?;
        Ok(name)
    }

    /// An administrator's store of the default name that both tenants may use.
    pub async fn shared_store(&self) -> Result<()> {
        let (victim, mallory) = (&self.victim_role, &self.mallory_role);
        self.admin
            .run(&format!(
                "SELECT zerodb.create_store(dimensions => 3);
                GRANT USAGE ON SCHEMA zerodb_store TO {victim}, {mallory};
                GRANT ALL ON ALL TABLES IN SCHEMA zerodb_store TO {victim}, {mallory}"
            ))
            .await
    }

    /// Whether mallory has become a superuser.
    pub async fn mallory_rules(&self) -> Result<bool> {
        let role = &self.mallory_role;
        let rules = format!("SELECT rolsuper::int FROM pg_roles WHERE rolname = '{role}'");
        Ok(self.admin.number(&rules).await? == 1)
    }
}

/// A role with the rights of a user, a schema of its name, and a session that acts for `tenant`.
pub async fn user(db: &Database, admin: &Session, name: &str, tenant: &str) -> Result<(Session, String)> {
    let role = db.create_role(name).await?;
    admin
        .run(&format!(
            "SELECT zerodb.grant_user('{role}'); CREATE SCHEMA {role} AUTHORIZATION {role}"
        ))
        .await?;
    let session = db.session_as(&role).await?;
    session.run(&format!("SET zerodb.user_id = '{tenant}'")).await?;
    Ok((session, role))
}
