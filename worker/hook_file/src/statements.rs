//! The statements of hook files. What changes a hook is a function of the API.

zerodb_hooks_store::statements! {
    ACTING_USER = "hook_file/acting_user.sql";
    CREATE_HOOK = "hook_file/create_hook.sql";
    DELETE_HOOK = "hook_file/delete_hook.sql";
    HOOKS_OF_USER = "hook_file/hooks_of_user.sql";
    SET_ACTIVE = "hook_file/set_active.sql";
    SET_USER = "hook_file/set_user.sql";
    UPDATE_HOOK = "hook_file/update_hook.sql";
}
