//! Pictures that any program can read, without compression.

/// A grey PNG; another number makes another picture.
pub fn png(width: u32, height: u32, number: u32) -> Vec<u8> {
    let shade = u8::try_from(number % 200).unwrap();
    let row: Vec<u8> = std::iter::once(0).chain((0..width).map(|at| shade.wrapping_add(at.to_le_bytes()[0]))).collect();
    let pixels = row.repeat(height as usize);
    let mut data = vec![0x78, 0x01];
    let mut blocks = pixels.chunks(0xFFFF).peekable();
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).unwrap();
        data.push(u8::from(blocks.peek().is_none()));
        data.extend(length.to_le_bytes());
        data.extend((!length).to_le_bytes());
        data.extend(block);
    }
    data.extend(adler(&pixels).to_be_bytes());
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut file, b"IHDR", &[&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 0, 0, 0, 0]].concat());
    chunk(&mut file, b"IDAT", &data);
    chunk(&mut file, b"IEND", &[]);
    file
}

/// The beginning of a PNG, filled up to a size.
pub fn header(width: u32, height: u32, size: usize) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut file, b"IHDR", &[&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 0, 0, 0, 0]].concat());
    file.resize(size, 0);
    file
}

fn chunk(file: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    file.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
    let begin = file.len();
    file.extend(kind);
    file.extend(data);
    let check = crc(&file[begin..]);
    file.extend(check.to_be_bytes());
}

/// CRC-32 of PNG (ISO 3309).
fn crc(data: &[u8]) -> u32 {
    !data.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg())))
}

/// Adler-32 (RFC 1950).
fn adler(data: &[u8]) -> u32 {
    let (a, b) = data.iter().fold((1_u32, 0_u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    (b << 16) | a
}

#[test]
fn checksums_are_right() {
    assert_eq!(crc(b"123456789"), 0xCBF4_3926);
    assert_eq!(adler(b"Wikipedia"), 0x11E6_0398);
}
