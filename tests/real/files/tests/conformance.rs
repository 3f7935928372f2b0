//! Writers run against files: what the wrong form leaves behind cannot be read, what the right one leaves can.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const DATA: &[u8] = b"one cart, two carts, three carts";

fn place() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out");
    (directory, path)
}

fn batch() -> arrow_array::RecordBatch {
    let ids: arrow_array::ArrayRef = Arc::new(arrow_array::Int64Array::from(vec![1, 2, 3]));
    arrow_array::RecordBatch::try_from_iter([("id", ids)]).unwrap()
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Runtime::new().unwrap().block_on(future)
}

#[test]
fn parquet_without_its_end_has_no_footer() {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    let (_directory, path) = place();
    let rows = |path: &Path| {
        let reader = SerializedFileReader::new(File::open(path).unwrap());
        reader.map(|reader| reader.metadata().file_metadata().num_rows()).ok()
    };
    fixture_parquet::forgotten(File::create(&path).unwrap(), &batch()).unwrap();
    assert_eq!(rows(&path), None);
    fixture_parquet::closed(File::create(&path).unwrap(), &batch()).unwrap();
    assert_eq!(rows(&path), Some(3));
    let file = |path: &Path| tokio::fs::File::from_std(File::create(path).unwrap());
    block_on(async { fixture_parquet::async_forgotten(file(&path), &batch(), false).await }).unwrap();
    assert_eq!(rows(&path), None);
    block_on(async { fixture_parquet::not_awaited(file(&path), &batch()).await }).unwrap();
    assert_eq!(rows(&path), None);
    block_on(async { fixture_parquet::async_forgotten(file(&path), &batch(), true).await }).unwrap();
    assert_eq!(rows(&path), Some(3));
}

#[test]
fn arrow_files_without_their_end_have_no_footer_and_streams_do_without() {
    let (_directory, path) = place();
    let name = path.to_str().unwrap();
    let is_read = || arrow_ipc::reader::FileReader::try_new(File::open(&path).unwrap(), None).is_ok();
    fixture_arrow::forgotten(name, &batch()).unwrap();
    assert!(!is_read());
    fixture_arrow::finished(name, &batch()).unwrap();
    assert!(is_read());
    let stream = fixture_arrow::stream(&batch()).unwrap();
    let rows = arrow_ipc::reader::StreamReader::try_new(stream.as_slice(), None).unwrap();
    assert_eq!(rows.map(|batch| batch.unwrap().num_rows()).sum::<usize>(), 3, "without its end mark");
}

#[test]
fn an_archive_without_its_directory_cannot_be_opened() {
    let (_directory, path) = place();
    let name = path.to_str().unwrap();
    let is_opened = || zip::ZipArchive::new(File::open(&path).unwrap()).is_ok();
    block_on(fixture_async_zip::forgotten(name, DATA)).unwrap();
    assert!(!is_opened());
    block_on(fixture_async_zip::closed(name, DATA)).unwrap();
    assert!(is_opened());
}

#[test]
fn a_buffer_of_tokio_is_lost() {
    let (_directory, path) = place();
    let name = path.to_str().unwrap();
    let written = || std::fs::read(&path).unwrap();
    block_on(fixture_tokio::forgotten(name, DATA)).unwrap();
    assert_eq!(written(), b"");
    block_on(fixture_tokio::helper_fills(name, DATA)).unwrap();
    assert_eq!(written(), b"");
    for right in 0..3 {
        match right {
            0 => block_on(fixture_tokio::flushed(name, DATA)).unwrap(),
            1 => block_on(fixture_tokio::helper_flushes(name, DATA)).unwrap(),
            _ => _ = block_on(fixture_tokio::copied(name, DATA)).unwrap(),
        }
        assert_eq!(written(), DATA);
    }
    fixture_tokio::of_the_standard_library(name, DATA).unwrap();
    assert_eq!(written(), DATA, "std's has a Drop");
}

#[test]
fn compressed_streams_without_their_end_cannot_be_unpacked() {
    let (_directory, path) = place();
    let name = path.to_str().unwrap();
    let unpacked = || {
        let mut text = Vec::new();
        flate2::read::GzDecoder::new(File::open(&path).unwrap()).read_to_end(&mut text).map(|_| text).ok()
    };
    block_on(fixture_async_compression::forgotten(name, DATA)).unwrap();
    assert_eq!(unpacked(), None);
    block_on(fixture_async_compression::shut_down(name, DATA)).unwrap();
    assert_eq!(unpacked().as_deref(), Some(DATA));

    let unpacked = || zstd::decode_all(File::open(&path).unwrap()).ok();
    fixture_zstd::forgotten(File::create(&path).unwrap(), DATA).unwrap();
    assert_eq!(unpacked(), None);
    fixture_zstd::finished(File::create(&path).unwrap(), DATA).unwrap();
    assert_eq!(unpacked().as_deref(), Some(DATA));
    fixture_zstd::by_itself(File::create(&path).unwrap(), DATA).unwrap();
    assert_eq!(unpacked().as_deref(), Some(DATA));
}

#[test]
fn an_object_that_is_not_completed_does_not_appear() {
    let op = opendal::Operator::new(opendal::services::Memory::default()).unwrap();
    block_on(fixture_opendal::forgotten(&op, DATA.to_vec())).unwrap();
    block_on(fixture_opendal::not_awaited(&op, DATA.to_vec())).unwrap();
    assert!(!block_on(op.exists("cart")).unwrap());
    block_on(fixture_opendal::closed(&op, DATA.to_vec())).unwrap();
    assert!(block_on(op.exists("cart")).unwrap());

    use object_store::{ObjectStore, ObjectStoreExt};
    let store = object_store::memory::InMemory::new();
    let path = object_store::path::Path::from("cart");
    let is_there = || block_on(store.head(&path)).is_ok();
    block_on(fixture_object_store::forgotten(&store, &path, DATA.to_vec())).unwrap();
    let upload = block_on(store.put_multipart(&path)).unwrap();
    block_on(fixture_object_store::writer_forgotten(upload, DATA)).unwrap();
    assert!(!is_there());
    block_on(fixture_object_store::completed(&store, &path, DATA.to_vec())).unwrap();
    assert!(is_there());
    let dynamic: &dyn ObjectStore = &store;
    block_on(dynamic.delete(&path)).unwrap();
    let upload = block_on(store.put_multipart(&path)).unwrap();
    block_on(fixture_object_store::writer_finished(upload, DATA)).unwrap();
    assert!(is_there());
}

/// Silent for these: dropping them writes the end.
#[test]
fn some_writers_finish_when_they_are_dropped() {
    let (directory, path) = place();
    let file = || File::create(&path).unwrap();
    fixture_csv::dropped(file()).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "a,b\n");
    fixture_flate2::dropped(file(), DATA).unwrap();
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(File::open(&path).unwrap()).read_to_end(&mut text).unwrap();
    assert_eq!(text, DATA);
    fixture_zip::dropped(file(), DATA).unwrap();
    assert!(zip::ZipArchive::new(File::open(&path).unwrap()).is_ok());
    std::fs::write(directory.path().join("cart"), DATA).unwrap();
    std::env::set_current_dir(&directory).unwrap();
    fixture_tar::dropped(file()).unwrap();
    assert!(std::fs::metadata(&path).unwrap().len() >= 1024 + 512, "with the blocks that end it");
}
