//! L6: reasons for adjustments are configured per merchant, by mask and etag, and their history is kept.

use loyalty_sdk::{
    Adjustment, ApprovalLimit, ConfigurationFilter, ConfigurationResource, Error, NewProgram, NewReason, PageRequest,
    Reason, ReasonDirection, ReasonState, ReasonUpdate, RequestId, Role, api,
};

use crate::harness::raw::{assert_names, request_id};
use crate::harness::{Shop, dec, instant};

impl Shop {
    async fn has_reason(&self, reason: &NewReason) -> Reason {
        let created = self.client.create_reason(reason).await;
        created.unwrap_or_else(|error| panic!("{}: {error}", reason.name))
    }

    /// The ids of all reasons.
    async fn reason_ids(&self, page_size: u32) -> Vec<String> {
        let mut ids = Vec::new();
        let mut next = Some(PageRequest::of(page_size));
        while let Some(page) = next {
            let page = self.client.list_reasons(&page).await;
            let page = page.unwrap_or_else(|error| panic!("{error}"));
            ids.extend(page.items.into_iter().map(|reason| reason.reason_id.to_string()));
            next = page.next;
        }
        ids
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reason_is_read_as_it_was_created() {
    let shop = Shop::empty().await;
    let new = NewReason::removing("Cobrado \"dos veces\" 🦤").reason_id("twice");

    let created = shop
        .has_reason(&new.limit(Role::BackOffice, 500).limit(Role::Terminal, 0))
        .await;
    let nameless = shop.has_reason(&NewReason::adding("Nameless")).await;

    let listed = shop
        .client
        .list_reasons(&PageRequest::default())
        .await
        .expect("reasons");
    let mut expected = vec![nameless.clone(), created.clone()];
    expected.sort_by(|one, other| one.reason_id.cmp(&other.reason_id));
    assert_eq!(listed.items, expected);
    let limit = |role, max_points: &str| ApprovalLimit {
        role,
        max_points: dec(max_points),
    };
    assert_eq!(
        created,
        Reason {
            reason_id: "twice".into(),
            name: "Cobrado \"dos veces\" 🦤".to_owned(),
            direction: ReasonDirection::Removes,
            approval_limits: vec![limit(Role::Terminal, "0"), limit(Role::BackOffice, "500")],
            state: ReasonState::Active,
            etag: "1".to_owned(),
            updated_at: instant("2026-01-15T10:00:00Z"),
        }
    );
    assert_eq!(
        (nameless.direction, nameless.reason_id.as_str().len()),
        (ReasonDirection::Adds, 36)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn reasons_are_listed_in_pages_by_id() {
    let shop = Shop::empty().await;
    for reason_id in ["c", "a", "e", "b", "d"] {
        shop.has_reason(&NewReason::adding(reason_id).reason_id(reason_id))
            .await;
    }

    assert_eq!(shop.reason_ids(2).await, ["a", "b", "c", "d", "e"]);
    assert_eq!(shop.reason_ids(5).await, ["a", "b", "c", "d", "e"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reason_changes_by_mask_and_etag() {
    let shop = Shop::empty().await;
    let new = NewReason::adding("Gift").reason_id("gift");
    let created = shop.has_reason(&new.limit(Role::Terminal, 10)).await;

    let renamed = ReasonUpdate::of(&created).name("Present");
    let renamed = shop.client.update_reason(&renamed).await.expect("a new name");
    let stale = shop
        .client
        .update_reason(&ReasonUpdate::of(&created).approval_limits(&[]))
        .await;
    let unlimited = ReasonUpdate::of(&renamed).approval_limits(&[]);
    let unlimited = shop.client.update_reason(&unlimited).await.expect("no limits");
    let nobody = Reason {
        reason_id: "nobody".into(),
        ..created.clone()
    };
    let missing = shop.client.update_reason(&ReasonUpdate::of(&nobody).name("X")).await;
    let taken = shop
        .client
        .create_reason(&NewReason::adding("Gift").reason_id("gift"))
        .await;

    assert_eq!(
        (renamed.name.as_str(), &renamed.approval_limits),
        ("Present", &created.approval_limits)
    );
    assert_eq!(
        stale,
        Err(Error::EtagMismatch {
            etag: renamed.etag.clone()
        })
    );
    assert_eq!(
        (unlimited.name.as_str(), unlimited.approval_limits.len()),
        ("Present", 0)
    );
    let reason_id = || "nobody".into();
    assert_eq!(missing, Err(Error::ReasonNotFound { reason_id: reason_id() }));
    assert_eq!(
        taken,
        Err(Error::ReasonExists {
            reason_id: "gift".into()
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archived_reason_is_refused_everywhere_until_it_is_taken_up_again() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let ada = shop.enrols("ada").await;
    let other_server = shop.second_server().await;
    let gift = shop.has_reason(&NewReason::adding("Gift").reason_id("gift")).await;
    let adjustment = Adjustment::new(ada.key.clone(), "gift", 5);

    let archived = ReasonUpdate::of(&gift).state(ReasonState::Archived);
    let archived = shop.client.update_reason(&archived).await.expect("an archived reason");
    let refused = other_server.adjust_points(&adjustment).await;
    let active = ReasonUpdate::of(&archived).state(ReasonState::Active);
    other_server.update_reason(&active).await.expect("an active reason");
    let taken = shop.client.adjust_points(&adjustment).await;

    assert_eq!(
        refused,
        Err(Error::ReasonArchived {
            reason_id: "gift".into()
        })
    );
    assert_eq!(taken.expect("a gift").points, dec("5"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reason_sent_again_is_created_once() {
    let shop = Shop::empty().await;
    let client = shop.client.with_request_id(RequestId::generate());
    let reason = NewReason::adding("Gift");

    let first = client.create_reason(&reason).await.expect("a reason");
    let again = client.create_reason(&reason).await.expect("the same reason");

    assert_eq!(first, again);
    assert_eq!(shop.reason_ids(50).await, [first.reason_id.to_string()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_of_the_configuration_tells_who_changed_reasons() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let office = shop.client.with_actor("maria");
    let new = NewReason::adding("Gift").reason_id("gift").limit(Role::Terminal, 10);
    let gift = office.create_reason(&new).await.expect("a reason");
    shop.has_reason(&NewReason::removing("Mistake").reason_id("mistake"))
        .await;
    shop.days_pass(1);
    let update = ReasonUpdate::of(&gift).name("Present").state(ReasonState::Archived);
    shop.client.update_reason(&update).await.expect("a change");

    let page = PageRequest::default();
    let all = ConfigurationFilter::all();
    let all = shop
        .client
        .list_configuration_changes(&all, &page)
        .await
        .expect("changes");
    let of_gift = ConfigurationFilter::all().reason("gift");
    let of_gift = shop
        .client
        .list_configuration_changes(&of_gift, &page)
        .await
        .expect("changes");

    let told: Vec<_> = all
        .items
        .iter()
        .map(|change| (change.resource, change.resource_id.as_str(), change.version))
        .collect();
    assert_eq!(
        told,
        [
            (ConfigurationResource::Reason, "gift", 3),
            (ConfigurationResource::Reason, "mistake", 2),
            (ConfigurationResource::Program, "club", 1),
            (ConfigurationResource::Reason, "gift", 1),
        ]
    );
    let [changed, created] = of_gift.items.as_slice() else {
        panic!("two changes: {of_gift:?}");
    };
    assert_eq!((&changed.program_id, changed.actor.as_str()), (&None, "development"));
    assert_eq!(created.actor, "maria");
    let fields = |change: &loyalty_sdk::ConfigurationChange| {
        let fields = change.fields.iter().map(|field| {
            let (old, new) = (field.old_value.clone(), field.new_value.clone());
            (field.path.clone(), old, new)
        });
        fields.collect::<Vec<_>>()
    };
    let field = |path: &str, old: &str, new: &str| (path.to_owned(), old.to_owned(), new.to_owned());
    assert_eq!(
        fields(changed),
        [field("name", "Gift", "Present"), field("state", "ACTIVE", "ARCHIVED")]
    );
    assert_eq!(
        fields(created),
        [
            field("reason_id", "", "gift"),
            field("name", "", "Gift"),
            field("direction", "", "ADDS"),
            field("approval_limits[0].role", "", "TERMINAL"),
            field("approval_limits[0].max_points", "", "10"),
            field("state", "", "ACTIVE"),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_reasons_name_their_fields_and_write_nothing() {
    let shop = Shop::empty().await;
    let good = || api::Reason {
        reason_id: "gift".to_owned(),
        name: "Gift".to_owned(),
        direction: api::ReasonDirection::Adds.into(),
        ..api::Reason::default()
    };
    let limit = |role: i32, max_points: &str| api::ApprovalLimit {
        role,
        max_points: crate::harness::raw::number(max_points),
    };
    let terminal: i32 = api::Role::Terminal.into();
    let cases = [
        (
            "reason.reason_id",
            api::Reason {
                reason_id: "A Gift".to_owned(),
                ..good()
            },
        ),
        (
            "reason.name",
            api::Reason {
                name: String::new(),
                ..good()
            },
        ),
        ("reason.direction", api::Reason { direction: 0, ..good() }),
        ("reason.direction", api::Reason { direction: 9, ..good() }),
        ("reason.state", api::Reason { state: 9, ..good() }),
        (
            "reason.etag",
            api::Reason {
                etag: "1".to_owned(),
                ..good()
            },
        ),
        (
            "reason.approval_limits[0].role",
            api::Reason {
                approval_limits: vec![limit(0, "1")],
                ..good()
            },
        ),
        (
            "reason.approval_limits[0].max_points",
            api::Reason {
                approval_limits: vec![limit(terminal, "-1")],
                ..good()
            },
        ),
        (
            "reason.approval_limits[1].role",
            api::Reason {
                approval_limits: vec![limit(terminal, "1"); 2],
                ..good()
            },
        ),
        (
            "reason.approval_limits",
            api::Reason {
                approval_limits: vec![limit(terminal, "1"); 4],
                ..good()
            },
        ),
    ];
    let before = shop.rows().await;

    for (field, reason) in cases {
        let request = api::CreateReasonRequest {
            request_id: request_id(),
            reason: Some(reason),
        };
        let outcome = shop.client.raw_ledger().create_reason(request).await.err();

        assert_names(field, &outcome, field, "INVALID_FIELD");
    }
    for path in ["direction", "reason_id", "etag", ""] {
        let reason = api::Reason {
            etag: "1".to_owned(),
            ..good()
        };
        let update_mask = Some(prost_types::FieldMask {
            paths: vec![path.to_owned()],
        });
        let request = api::UpdateReasonRequest {
            request_id: request_id(),
            reason: Some(reason),
            update_mask,
        };
        let outcome = shop.client.raw_ledger().update_reason(request).await.err();

        assert_names(path, &outcome, "update_mask", "INVALID_FIELD");
    }

    assert_eq!(shop.rows().await, before);
}
