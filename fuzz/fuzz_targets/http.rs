#![no_main]

libfuzzer_sys::fuzz_target!(init: forgive_what_was_asked_for(), |input: &[u8]| firedrill_properties::http(input));

/// A panic that a request asked for is the service's to catch. Any other ends the fuzzer.
fn forgive_what_was_asked_for() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if panic.payload_as_str() != Some("as the request asked") {
            hook(panic);
        }
    }));
}
