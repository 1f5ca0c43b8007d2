//! How a verification is asked, broken off and taken up again.

use loyalty_sdk::{ChainLink, Error, MemberKey, VerifyRequest};

use super::{ada, meddles, newest_link, shop, until_sealed};
use crate::harness::{PROGRAM, wrong_fields};

#[tokio::test(flavor = "multi_thread")]
async fn a_verification_that_breaks_off_goes_on_behind_its_last_part() {
    let shop = shop().await;
    for number in 0..120 {
        shop.enrols(&format!("customer-{number}")).await.buys("5.00").await;
    }
    until_sealed(&shop).await;
    meddles(&shop, "UPDATE account SET tier_spend = 0").await;
    let request = VerifyRequest::program(PROGRAM);
    let whole = shop.client.verify_ledger(&request).finish().await.expect("an end");
    let mut parts = Vec::new();
    let mut verification = shop.client.verify_ledger(&request);
    while let Some(part) = verification.next().await.expect("a part") {
        parts.push(part);
    }

    assert_eq!((whole.members, whole.entries, whole.drifts.len()), (120, 240, 120));
    assert!(parts.len() > 16 + 2, "{} parts", parts.len());
    assert_eq!(parts.pop().map(|last| last.resume_token), Some(String::new()));
    for place in 0..parts.len() {
        let rest = request.clone().resume(&parts[place].resume_token);
        let rest = shop.client.verify_ledger(&rest).finish().await.expect("an end");

        let before = &parts[..=place];
        let members: u64 = before.iter().map(|part| part.members).sum();
        let entries: u64 = before.iter().map(|part| part.entries).sum();
        let drifts: usize = before.iter().map(|part| part.drifts.len()).sum();
        assert_eq!(
            (
                members + rest.members,
                entries + rest.entries,
                drifts + rest.drifts.len()
            ),
            (120, 240, 120)
        );
    }
    let other_program = VerifyRequest::program("late").resume(&parts[0].resume_token);
    let refused = shop
        .client
        .verify_ledger(&other_program)
        .finish()
        .await
        .expect_err("another's token");
    assert_eq!(wrong_fields(&refused), ["resume_token"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_verified_is_refused() {
    let shop = shop().await;
    let ada = ada(&shop).await;
    let link = newest_link(&shop).await;
    let of_ada = || VerifyRequest::member(&ada.member);
    let refused = async |request: VerifyRequest| shop.client.verify_ledger(&request).next().await.expect_err("refused");

    let cases = [
        (vec!["resume_token"], VerifyRequest::default().resume("x")),
        (vec!["resume_token"], of_ada().resume("636c7562")),
        (vec!["known_links"], of_ada().known_links([link.clone()])),
        (
            vec!["known_links[1]"],
            VerifyRequest::default().known_links([
                link.clone(),
                ChainLink {
                    shard: 16,
                    ..link.clone()
                },
            ]),
        ),
        (
            vec!["known_links[0]"],
            VerifyRequest::default().known_links([ChainLink {
                position: 0,
                ..link.clone()
            }]),
        ),
        (
            vec!["known_links[0]"],
            VerifyRequest::default().known_links([ChainLink {
                hash: vec![1; 31],
                ..link.clone()
            }]),
        ),
        (
            vec!["known_links"],
            VerifyRequest::default().known_links(vec![link.clone(); 101]),
        ),
        (vec!["program_id"], VerifyRequest::program("NO")),
    ];
    for (fields, request) in cases {
        assert_eq!(wrong_fields(&refused(request).await), fields);
    }
    let nowhere = Error::ProgramNotFound {
        program_id: "nowhere".into(),
    };
    assert_eq!(refused(VerifyRequest::program("nowhere")).await, nowhere);
    let nobody = Error::MemberNotFound {
        field: "member".to_owned(),
    };
    assert_eq!(
        refused(VerifyRequest::member(MemberKey::customer_id("nobody"))).await,
        nobody
    );
    assert_eq!(
        refused(VerifyRequest::member(MemberKey::member_id(
            uuid::Uuid::nil().to_string()
        )))
        .await,
        nobody
    );
    let elsewhere = VerifyRequest::member(ada.key.clone().in_program("late"));
    assert_eq!(refused(elsewhere).await, nobody);
}
