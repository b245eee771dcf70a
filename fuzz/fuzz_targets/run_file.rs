#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| firedrill_properties::run_file(input));
libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    firedrill_fuzz::mutate(data, size, max_size, seed)
});
