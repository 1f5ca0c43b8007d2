//! The tables, as diesel sees them. A test holds them against the migrated database.

diesel::table! {
    merchant (merchant_id) {
        merchant_id -> Unsigned<Integer>,
        code -> Text,
        created_at -> Datetime,
        configuration_version -> Unsigned<Integer>,
    }
}

diesel::table! {
    program (merchant_id, program_id) {
        merchant_id -> Unsigned<Integer>,
        program_id -> Text,
        version -> Unsigned<Integer>,
        products_version -> Unsigned<Integer>,
        product_count -> Unsigned<Integer>,
        auto_opt_in -> Unsigned<TinyInt>,
        created_at -> Datetime,
        birthdays_due_at -> Nullable<Datetime>,
    }
}

diesel::table! {
    program_definition (merchant_id, program_id, from_version) {
        merchant_id -> Unsigned<Integer>,
        program_id -> Text,
        from_version -> Unsigned<Integer>,
        until_version -> Unsigned<Integer>,
        definition -> Text,
        recorded_at -> Datetime,
    }
}

diesel::table! {
    rule (merchant_id, program_id, rule_id, from_version) {
        merchant_id -> Unsigned<Integer>,
        program_id -> Text,
        rule_id -> Text,
        from_version -> Unsigned<Integer>,
        until_version -> Unsigned<Integer>,
        definition -> Text,
        recorded_at -> Datetime,
    }
}

diesel::table! {
    reward (merchant_id, program_id, reward_id, from_version) {
        merchant_id -> Unsigned<Integer>,
        program_id -> Text,
        reward_id -> Text,
        from_version -> Unsigned<Integer>,
        until_version -> Unsigned<Integer>,
        archived -> Unsigned<TinyInt>,
        definition -> Text,
        recorded_at -> Datetime,
    }
}

diesel::table! {
    product (merchant_id, program_id, product_id, from_version) {
        merchant_id -> Unsigned<Integer>,
        program_id -> Text,
        product_id -> Text,
        from_version -> Unsigned<Integer>,
        until_version -> Unsigned<Integer>,
        points -> Nullable<Numeric>,
        redeem_points -> Nullable<Numeric>,
    }
}

diesel::table! {
    configuration_change (merchant_id, program_id, version) {
        merchant_id -> Unsigned<Integer>,
        program_id -> Text,
        version -> Unsigned<Integer>,
        resource_kind -> Unsigned<TinyInt>,
        resource_id -> Text,
        actor -> Text,
        request_id -> Text,
        recorded_at -> Datetime,
        old_document -> Nullable<Text>,
        new_document -> Text,
    }
}

diesel::table! {
    member (merchant_id, member_id) {
        merchant_id -> Unsigned<Integer>,
        member_id -> Binary,
        program_id -> Text,
        name -> Text,
        birth_date -> Nullable<Date>,
        language -> Text,
        marketing_consent -> Nullable<Unsigned<TinyInt>>,
        consent_decided_at -> Nullable<Datetime>,
        version -> Unsigned<Integer>,
        enrolled_at -> Datetime,
        updated_at -> Datetime,
        birthday -> Nullable<Unsigned<SmallInt>>,
    }
}

diesel::table! {
    identifier (merchant_id, kind, value, program_id) {
        merchant_id -> Unsigned<Integer>,
        kind -> Unsigned<TinyInt>,
        value -> Text,
        program_id -> Text,
        member_id -> Binary,
    }
}

diesel::table! {
    member_change (merchant_id, member_id, version) {
        merchant_id -> Unsigned<Integer>,
        member_id -> Binary,
        version -> Unsigned<Integer>,
        kind -> Unsigned<TinyInt>,
        actor -> Text,
        reason -> Text,
        request_id -> Text,
        recorded_at -> Datetime,
    }
}

diesel::table! {
    account (merchant_id, member_id) {
        merchant_id -> Unsigned<Integer>,
        member_id -> Binary,
        program_id -> Text,
        last_sequence -> Unsigned<BigInt>,
        points -> Numeric,
        held -> Numeric,
        debt -> Numeric,
        pending -> Numeric,
        pending_until -> Nullable<Datetime>,
        first_open_lot_expires_at -> Nullable<Datetime>,
        first_open_lot_sequence -> Nullable<Unsigned<BigInt>>,
        hold_lapses_at -> Nullable<Datetime>,
        tier_id -> Nullable<Text>,
        tier_spend -> Numeric,
        lifetime_earned -> Numeric,
        lifetime_redeemed -> Numeric,
        lifetime_expired -> Numeric,
        carry -> Nullable<Text>,
        recorded_at -> Datetime,
        customer_group -> Text,
        territory -> Text,
        assigned_rule_id -> Nullable<Text>,
        state -> Unsigned<TinyInt>,
        block_reason -> Nullable<Text>,
        blocked_at -> Nullable<Datetime>,
        opted_out_at -> Nullable<Datetime>,
        merged_into -> Nullable<Binary>,
        erased_at -> Nullable<Datetime>,
        sweep_at -> Nullable<Datetime>,
        active_at -> Nullable<Datetime>,
        inactive_at -> Nullable<Datetime>,
        birthday_bonus_on -> Nullable<Date>,
    }
}

diesel::table! {
    sale (merchant_id, store_id, sale_id) {
        merchant_id -> Unsigned<Integer>,
        store_id -> Text,
        sale_id -> Text,
        member_id -> Binary,
        content_hash -> Binary,
        program_version -> Unsigned<Integer>,
        occurred_at -> Datetime,
        recorded_at -> Datetime,
        document -> Text,
        outcome -> Text,
    }
}

diesel::table! {
    sale_reversal (merchant_id, sale_store_id, sale_id, number) {
        merchant_id -> Unsigned<Integer>,
        sale_store_id -> Text,
        sale_id -> Text,
        number -> Unsigned<Integer>,
        store_id -> Text,
        return_id -> Nullable<Text>,
        content_hash -> Binary,
        occurred_at -> Datetime,
        recorded_at -> Datetime,
        document -> Text,
        state -> Text,
        outcome -> Text,
    }
}

diesel::table! {
    entry (merchant_id, member_id, sequence) {
        merchant_id -> Unsigned<Integer>,
        member_id -> Binary,
        sequence -> Unsigned<BigInt>,
        kind -> Unsigned<TinyInt>,
        points -> Numeric,
        balance_after -> Numeric,
        tier_spend -> Numeric,
        store_id -> Nullable<Text>,
        sale_id -> Nullable<Text>,
        document_type -> Nullable<Text>,
        document_number -> Nullable<Text>,
        program_version -> Unsigned<Integer>,
        lot_expires_at -> Nullable<Datetime>,
        expense_account -> Nullable<Text>,
        cost_center -> Nullable<Text>,
        occurred_at -> Datetime,
        recorded_at -> Datetime,
        reference -> Nullable<Text>,
        at_store_id -> Nullable<Text>,
        terminal_id -> Nullable<Text>,
        cashier_id -> Nullable<Text>,
        actor -> Nullable<Text>,
        reason_id -> Nullable<Text>,
        note -> Nullable<Text>,
        spend_at -> Nullable<Datetime>,
        inactive_at -> Nullable<Datetime>,
        lifetime_earned -> Nullable<Numeric>,
        lifetime_redeemed -> Nullable<Numeric>,
        lifetime_expired -> Nullable<Numeric>,
    }
}

diesel::table! {
    import_row (merchant_id, import_id, number) {
        merchant_id -> Unsigned<Integer>,
        import_id -> Text,
        number -> Unsigned<BigInt>,
        content_hash -> Binary,
        member_id -> Binary,
        recorded_at -> Datetime,
    }
}

diesel::table! {
    allocation (merchant_id, member_id, sequence, lot_expires_at, lot_sequence) {
        merchant_id -> Unsigned<Integer>,
        member_id -> Binary,
        sequence -> Unsigned<BigInt>,
        lot_expires_at -> Datetime,
        lot_sequence -> Unsigned<BigInt>,
        points -> Numeric,
    }
}

diesel::table! {
    reason (merchant_id, reason_id, from_version) {
        merchant_id -> Unsigned<Integer>,
        reason_id -> Text,
        from_version -> Unsigned<Integer>,
        until_version -> Unsigned<Integer>,
        definition -> Text,
        recorded_at -> Datetime,
    }
}

diesel::table! {
    request (merchant_id, request_id) {
        merchant_id -> Unsigned<Integer>,
        request_id -> Text,
        content_hash -> Binary,
        recorded_at -> Datetime,
        store_id -> Nullable<Text>,
        sale_id -> Nullable<Text>,
        answer -> Nullable<Text>,
    }
}

diesel::table! {
    member_request (merchant_id, member_id, request_id) {
        merchant_id -> Unsigned<Integer>,
        member_id -> Binary,
        request_id -> Text,
    }
}

diesel::table! {
    migration_lease (lease_id) {
        lease_id -> Unsigned<TinyInt>,
        holder -> Text,
        until -> Datetime,
    }
}

diesel::allow_tables_to_appear_in_same_query!(program, program_definition);
diesel::allow_tables_to_appear_in_same_query!(member, account);

diesel::table! {
    rule_usage (merchant_id, member_id, day, rule_id) {
        merchant_id -> Unsigned<Integer>,
        member_id -> Binary,
        day -> Date,
        rule_id -> Text,
        points -> Numeric,
    }
}

diesel::table! {
    pending (merchant_id, member_id, pending_until, lot_expires_at, lot_sequence) {
        merchant_id -> Unsigned<Integer>,
        member_id -> Binary,
        pending_until -> Datetime,
        lot_expires_at -> Datetime,
        lot_sequence -> Unsigned<BigInt>,
        points -> Numeric,
    }
}

diesel::table! {
    store (merchant_id, store_id) {
        merchant_id -> Unsigned<Integer>,
        store_id -> Text,
        created_at -> Datetime,
    }
}

diesel::table! {
    terminal (merchant_id, store_id, terminal_id) {
        merchant_id -> Unsigned<Integer>,
        store_id -> Text,
        terminal_id -> Text,
        created_at -> Datetime,
    }
}

diesel::table! {
    api_key (merchant_id, key_id) {
        merchant_id -> Unsigned<Integer>,
        key_id -> Text,
        name -> Text,
        role -> Unsigned<TinyInt>,
        store_id -> Nullable<Text>,
        terminal_id -> Nullable<Text>,
        secret_hash -> Binary,
        previous_secret_hash -> Nullable<Binary>,
        previous_until -> Nullable<Datetime>,
        created_at -> Datetime,
        expires_at -> Nullable<Datetime>,
        revoked_at -> Nullable<Datetime>,
    }
}

diesel::table! {
    posting_batch (merchant_id, batch_id) {
        merchant_id -> Unsigned<Integer>,
        batch_id -> Binary,
        recorded_at -> Datetime,
        touched -> Binary,
        hashes -> Nullable<Binary>,
    }
}

diesel::table! {
    feed (merchant_id, shard, position) {
        merchant_id -> Unsigned<Integer>,
        shard -> Unsigned<TinyInt>,
        position -> Unsigned<BigInt>,
        member_id -> Binary,
        sequence -> Unsigned<BigInt>,
        source -> Unsigned<TinyInt>,
        form -> Unsigned<TinyInt>,
        hash -> Binary,
    }
}

diesel::table! {
    feed_head (merchant_id, shard) {
        merchant_id -> Unsigned<Integer>,
        shard -> Unsigned<TinyInt>,
        position -> Unsigned<BigInt>,
        hash -> Binary,
    }
}

diesel::table! {
    server_secret (name) {
        name -> Text,
        secret -> Binary,
        created_at -> Datetime,
    }
}

diesel::table! {
    job_lease (job) {
        job -> Text,
        token -> Unsigned<BigInt>,
        beats -> Unsigned<BigInt>,
        holder -> Text,
    }
}

diesel::table! {
    redemption (merchant_id, redemption_id) {
        merchant_id -> Unsigned<Integer>,
        redemption_id -> Binary,
        member_id -> Binary,
        store_id -> Text,
        recorded_at -> Datetime,
        given_back_points -> Numeric,
        given_back_amount -> Numeric,
        document -> Text,
        given_back -> Nullable<Text>,
    }
}

diesel::table! {
    hold (merchant_id, hold_id) {
        merchant_id -> Unsigned<Integer>,
        hold_id -> Binary,
        member_id -> Binary,
        store_id -> Text,
        state -> Unsigned<TinyInt>,
        placed_at -> Datetime,
        lapses_at -> Datetime,
        ended_at -> Nullable<Datetime>,
        redemption_id -> Nullable<Binary>,
        captured_points -> Nullable<Numeric>,
        document -> Text,
    }
}

diesel::table! {
    expiry_schedule (merchant_id) {
        merchant_id -> Unsigned<Integer>,
        period_seconds -> Nullable<Unsigned<Integer>>,
        next_run_at -> Nullable<Datetime>,
        run_started_at -> Nullable<Datetime>,
        run_finished_at -> Nullable<Datetime>,
        run_members -> Unsigned<BigInt>,
        run_lots -> Unsigned<BigInt>,
        run_points -> Numeric,
    }
}

diesel::table! {
    offline_policy (merchant_id) {
        merchant_id -> Unsigned<Integer>,
        business_time_seconds -> Unsigned<Integer>,
        redeem_limit -> Nullable<Numeric>,
        since_version -> Unsigned<Integer>,
        updated_at -> Nullable<Datetime>,
    }
}

diesel::table! {
    receipt_templates (merchant_id, from_version) {
        merchant_id -> Unsigned<Integer>,
        from_version -> Unsigned<Integer>,
        until_version -> Unsigned<Integer>,
        definition -> Text,
        recorded_at -> Datetime,
    }
}

diesel::table! {
    expiry_change_run (merchant_id, request_id) {
        merchant_id -> Unsigned<Integer>,
        request_id -> Text,
        program_id -> Text,
        extend_only -> Unsigned<TinyInt>,
        actor -> Text,
        started_at -> Datetime,
        finished_at -> Nullable<Datetime>,
        done_member_id -> Binary,
        members -> Unsigned<BigInt>,
        lots -> Unsigned<BigInt>,
        points -> Numeric,
        lapsed_points -> Numeric,
        kept_lots -> Unsigned<BigInt>,
        kept_points -> Numeric,
    }
}
