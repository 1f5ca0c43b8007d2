//! Keys of merchants, as the commands of the program make them.

use loyalty_server::tenants::{NewKey, Role, Tenants};

/// A key to be made: without a name, for all stores, for ever.
pub(crate) fn new_key(merchant: &str, role: Role) -> NewKey {
    NewKey {
        merchant: merchant.to_owned(),
        role,
        name: String::new(),
        store_id: None,
        terminal_id: None,
        expires_at: None,
    }
}

/// What tests ask of the tenants again and again.
pub(crate) trait Keys {
    /// A key of a role; a terminal's is for `store-1`, which is made when it is missing.
    async fn key(&mut self, merchant: &str, role: Role) -> String;

    /// A key of a role for a store, which is made when it is missing.
    async fn key_for_store(&mut self, merchant: &str, role: Role, store_id: &str) -> String;
}

impl Keys for Tenants {
    async fn key(&mut self, merchant: &str, role: Role) -> String {
        if role == Role::Terminal {
            return self.key_for_store(merchant, role, "store-1").await;
        }
        let issued = self.create_key(new_key(merchant, role)).await;
        issued.unwrap_or_else(|error| panic!("{error}")).text
    }

    async fn key_for_store(&mut self, merchant: &str, role: Role, store_id: &str) -> String {
        if !self
            .stores(merchant)
            .await
            .expect("the stores")
            .iter()
            .any(|known| known == store_id)
        {
            self.create_store(merchant, store_id).await.expect("a store");
        }
        let key = NewKey {
            store_id: Some(store_id.to_owned()),
            ..new_key(merchant, role)
        };
        self.create_key(key)
            .await
            .unwrap_or_else(|error| panic!("{error}"))
            .text
    }
}
