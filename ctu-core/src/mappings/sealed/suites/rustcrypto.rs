//! One suite out of a crate of RustCrypto, which all have one interface.

/// Makes a suite of a type that implements `aead::AeadInOut`.
macro_rules! suite {
    (
        $(#[$doc:meta])*
        $Name:ident($cipher:ty), $key:literal, $nonce:literal, suite $suite:literal, $name:literal
        $(, stored nonce $stored:literal)?
    ) => {
        $(#[$doc])*
        pub struct $Name($cipher);

        impl Aead for $Name {
            const SUITE: u8 = $suite;
            const NAME: &'static str = $name;
            type Nonce = [u8; $nonce];
            $(const STORED_NONCE: usize = $stored;)?

            fn seal(&self, nonce: &Self::Nonce, data: &[u8], text: &mut [u8]) -> Result<Tag, Error> {
                let sealed = self.0.encrypt_inout_detached(nonce.into(), data, text.into());
                match sealed {
                    Ok(tag) => Ok(tag.into()),
                    Err(_) => Err(Error::Encode("a value longer than its cipher allows")),
                }
            }

            fn open(
                &self,
                nonce: &Self::Nonce,
                data: &[u8],
                text: &mut [u8],
                tag: &Tag,
            ) -> Result<bool, Error> {
                let opened = self.0.decrypt_inout_detached(nonce.into(), data, text.into(), tag.into());
                Ok(opened.is_ok())
            }
        }

        impl KeyedAead for $Name {
            type Key = [u8; $key];

            fn new(key: &[u8; $key]) -> Self {
                Self(KeyInit::new(key.into()))
            }
        }

        impl fmt::Debug for $Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($Name), "(..)"))
            }
        }
    };
}
pub(super) use suite;
