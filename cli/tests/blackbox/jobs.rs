//! Repair cards.

use fitter_testkit::app::eventually;

use crate::shared;

#[test]
fn a_card_from_the_plate_to_the_history() {
    shared(async |fitter| {
        let aidos = fitter.technician("Айдос К").await;
        aidos.tap("＋ Новая карточка").await;
        aidos.sees("Номер машины или VIN?").await;
        aidos.say("привет").await;
        aidos.sees("«привет» не похоже на номер или VIN.").await;
        aidos.say("123 abc 02").await;
        let card = aidos.sees("123 ABC 02").await;
        assert!(card.text().contains("Новая · Айдос К"), "{}", card.text());
        aidos.tap("Взять в работу").await;
        aidos.sees("В работе").await;
        aidos.tap("Пауза").await;
        aidos.sees("На паузе").await;
        aidos.tap("Взять в работу").await;

        // Photos one by one and several at once.
        aidos.tap("📷 Фото").await;
        aidos.sees("Пришлите фото — добавлю в карточку.").await;
        let one = aidos.photos(1, Some("до ремонта")).await;
        aidos.sees("Добавил 1 фото.").await;
        let three = aidos.photos(3, None).await;
        aidos.sees("Добавил 3 фото.").await;
        aidos.tap("Готово").await;
        aidos.sees("Фото: 4").await;
        // The contents lie in the file store, by their hashes.
        let photos = format!(
            "SELECT f.blob FROM photos p JOIN people w ON w.id = p.by JOIN telegram_files f ON f.bot = p.bot AND f.unique_id = p.unique_id WHERE w.user_id = {} ORDER BY p.id",
            aidos.id
        );
        let blobs = eventually("the photos are fetched", async || {
            let rows = fitter.rows(&photos).await;
            let blobs: Vec<String> = rows.iter().filter_map(|row| row["blob"].as_str().map(str::to_owned)).collect();
            (blobs.len() == 4).then_some(blobs)
        })
        .await;
        for (blob, picture) in blobs.iter().zip(one.iter().chain(&three)) {
            let path = fitter.data_dir().join("files").join(&blob[..2]).join(blob);
            assert_eq!(&std::fs::read(&path).unwrap(), picture, "{}", path.display());
        }
        aidos.tap("Ещё").await.tap("Показать фото").await;
        let shown = aidos.from_bot().await.iter().rev().take(6).filter(|message| message.has_photo()).count();
        assert_eq!(shown, 4, "{}", aidos.transcript().await);
        aidos.tap("‹ Назад").await;

        aidos.tap("Завершить").await;
        aidos.sees("Завершена").await;
        aidos.tap("Вернуть в работу").await;
        aidos.sees("В работе").await;
        aidos.tap("Завершить").await.tap("Ещё").await.tap("История машины").await;
        let history = aidos.sees("История 123 ABC 02").await;
        assert!(history.text().contains("Завершена · Айдос К"), "{}", history.text());

        let audit = fitter
            .rows(&format!(
                "SELECT a.verb, a.object, a.old, a.new FROM audit a JOIN people p ON p.id = a.actor WHERE p.user_id = {} ORDER BY a.id",
                aidos.id
            ))
            .await;
        assert!(audit.len() >= 6, "making and five changes of state: {audit:?}");
    });
}

#[test]
fn vins_and_numbers_that_are_none() {
    shared(async |fitter| {
        let berik = fitter.technician("Берик К").await;
        berik.say("/new").await.say("1M8GDM9AXKPO42788").await;
        berik.sees("В VIN не бывает букв I, O и Q").await;
        berik.say("1M8GDM9AXKP042788").await;
        berik.sees("1M8GDM9AXKP042788").await;
        assert_eq!(berik.count("Контрольный знак").await, 0);
        // A European VIN whose check digit does not fit is taken with a word of caution.
        berik.say("/new").await.say("WDB9634031L123456").await;
        berik.wait_for("Контрольный знак VIN не сошёлся.").await;
        berik.sees("WDB9634031L123456").await;
        // A plate typed at home is offered, and was a question if the technician says so.
        berik.say("/menu").await.say("777 KZT 05").await;
        berik.sees("777 KZT 05 — открыть карточку этой машины?").await;
        berik.tap("Открыть карточку").await;
        berik.sees("Новая · Берик К").await;
        berik.say("/jobs").await;
        let list = berik.sees("Открытые работы: 3").await;
        assert!(list.labels().contains(&"777 KZT 05"), "{:?}", list.labels());
        // The same vehicle again is the same card while it is open.
        berik.say("/new").await.say("777KZT05").await;
        berik.say("/jobs").await;
        berik.sees("Открытые работы: 3").await;
    });
}

#[test]
fn photos_that_nobody_asked_for_find_their_card() {
    shared(async |fitter| {
        let serik = fitter.technician("Серик К").await;
        serik.photos(2, Some("555 SER 03")).await;
        serik.got("Добавил 2 фото.").await;
        serik.tap("Готово").await;
        serik.sees("Фото: 2").await;
        serik.say("/menu").await.photos(1, None).await;
        serik.sees("К какой машине?").await;
        serik.tap("555 SER 03").await;
        serik.sees("Добавил 1 фото.").await;
        serik.tap("Готово").await;
        serik.sees("Фото: 3").await;
    });
}

#[test]
fn a_technician_cannot_open_the_card_of_another() {
    shared(async |fitter| {
        let (one, two) = (fitter.technician("Первый К").await, fitter.technician("Второй К").await);
        one.say("/new").await.say("901 AAA 01").await;
        let card = one.sees("901 AAA 01").await;
        let more = card.data("Ещё").unwrap();
        let job = more.strip_prefix("jm:").unwrap().to_owned();
        for data in [format!("j:{job}"), format!("jt:{job}:complete"), format!("jg:{job}"), format!("jh:{job}"), format!("jp:{job}")] {
            two.forge(&data).await;
        }
        two.photo().await;
        two.never_sees("901 AAA 01").await;
        let rows = fitter
            .rows(&format!("SELECT status, (SELECT count(*) FROM photos WHERE job = {job}) AS photos FROM jobs WHERE id = {job}"))
            .await;
        assert_eq!((rows[0]["status"].as_str(), rows[0]["photos"].as_i64()), (Some("open"), Some(0)));
    });
}
