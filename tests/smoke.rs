use crate::harness::{Shop, dec};

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_earns() {
    let mut shop = Shop::earning("10", "1").await;
    {
        let ada = shop.enrols("ada").await;

        let receipt = ada.buys("26.00").await;

        assert_eq!(receipt.points_earned, dec("2"));
        assert_eq!(ada.points().await, dec("2"));
    }
    shop.closes().await;
}
