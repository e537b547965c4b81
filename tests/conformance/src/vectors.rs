//! Test vectors of CacheToolsUtils 11.0 in hex: a sample of those that the host checks in full.

/// A key and a value, and their form in the inner cache.
pub(crate) struct Vector {
    pub(crate) secret: &'static str,
    pub(crate) hsize: usize,
    pub(crate) csize: usize,
    pub(crate) key: &'static str,
    pub(crate) value: &'static str,
    pub(crate) stored_key: &'static str,
    pub(crate) stored_value: &'static str,
}

pub(crate) const SALSA20: &[Vector] = &[
    Vector {
        secret: "eee7615ef35f30e49b482e15cae75007201e12617b0feda7e1647796ff022bea8ed02a82a175930f2337cd3794c52208006d6b1af0c0cbd625658aac2c9faa07d13c447e33051eeef95a60e56143d6c4",
        hsize: 24,
        csize: 0,
        key: "ca",
        value: "",
        stored_key: "87729139ce6863d525ea6ca231932ddeeddfdea394d59aac",
        stored_value: "",
    },
    Vector {
        secret: "8a9b0a6b5fc933154a6de28404a897c5",
        hsize: 16,
        csize: 16,
        key: "26",
        value: "2e",
        stored_key: "1fd49afa408a8be95f1373367632f52e",
        stored_value: "6890427a1f51a3e7e1dfb1f57449c5f220",
    },
    Vector {
        secret: "db1158ab47f04ce1fc2c71e09454839f",
        hsize: 16,
        csize: 16,
        key: "c36a9b488bfe66d23a02c10e16cd3efb2f5521ead3ce897ef2fc41addef3a23762d60f85420b12634f740691a4b57dff35ff3e8065df0bc0d351686f6e4577b15ca1a1636f6331447a432d84c631ded74066ce093166b7b83baf6024f6360c13f64b615e",
        value: "3a68585090301f44ec2731a7c8efdab5dc",
        stored_key: "13f5c73f18faae5c7145fbd325975d43",
        stored_value: "8012d17e1bcf16b1658676b3b943d3765acd7b363ba1f1c41d7817e2bcbdb1e4c1",
    },
    Vector {
        secret: "eca5282addf8ed9904269e6d299bfda7",
        hsize: 16,
        csize: 32,
        key: "4970b7a7bb3ca5e18ee09ceaa271cc7f",
        value: "2bb9bb0cbacac663bcc74f5a5a2de8900b711d51970bd8209c2bab298c35a02b0d4931d87d70faadebc9b3acaa45fcf92517d2b201c12ded0cb90538d7d74a7d",
        stored_key: "83dc48af8dc15c2011b8da8fe2cca90b",
        stored_value: "76cf825050621ba7ed499340c36da243438b9dbfa80e39396ac1f822f75b42af792b8e7f15283864152ca791a229df1e6f1c759d6a544b25956273e0bc858b8dcb2c256277267631cc56a0be259f03a79b67867bd24ce74a2926560a91f50b5b",
    },
];

pub(crate) const CHACHA20: &[Vector] = &[
    Vector {
        secret: "5f4d11ecc401ff1e5c20b8a4f7109559",
        hsize: 32,
        csize: 0,
        key: "5439df78e1837884fa71ff8512671ae55ca64d09fedee2860f253a5b794a1b9fd915a087ff2d57c1827f51fee81fa1d2efba6e1541fa444ae914017bd1482ec998f1d927117597813c",
        value: "",
        stored_key: "5539b95ac6ab25f14699e88f0bec91bb2109ec22924bef323695362767488fd7",
        stored_value: "",
    },
    Vector {
        secret: "b1a5bf98865ff0c4aeb90f6e2618d2d4",
        hsize: 20,
        csize: 0,
        key: "8d",
        value: "22ede6c3c513458b9efdb8f20a4c62",
        stored_key: "7a2f2074afa39b26315b04d83ab3a58354102771",
        stored_value: "c77b771a55c37a19f332f7e6aa3f54",
    },
    Vector {
        secret: "a80df757bf229ee09172c8d048c76e904be2593680f9dd3d4da5098a498ccc8ca47429f666bb841a4d20039e28025dacf74767d1f710d4b3ca1d6e818d60947fe2185a0d563c268ab70c9e20ee056b20",
        hsize: 16,
        csize: 16,
        key: "05877dfdcc9d33f6cdd1800c044874a5",
        value: "c6bd8dbae6b59f8e22a43087ab6d5c6c18",
        stored_key: "d10c44403597e0333442713fe7a90478",
        stored_value: "cffa808c5f2824bbaa37ef087cc057d947c90bc6aa9934ce311014a6747ab2901d",
    },
    Vector {
        secret: "d9bfcd2d92312bcb7380a810a24c4f92901dfb18ca2a46ae0b6c02f5d6ab26582ae147c1e5df3ce3a3243bb6393ccb9e3a6c31d4",
        hsize: 8,
        csize: 32,
        key: "473f4f8cf1d010ddc166fdfcdfc6f635",
        value: "55a56707b153b3c1c6e7ecb74bf6caa72efa7785b3d217832082c17c6ddd215cd3e9c6f93c765f349c4c11b451faaafa4de4b69a327e4f6f66b03d536156bca6ba",
        stored_key: "b1e8186b6eeef80d",
        stored_value: "f8d899b82551219a0e7c3044e3069fbc5a2107bffe76f59bd180f2fc823cfc88e6078c9d50f62bfd18aede34669d69e0411a833d1109be96f92fe62769190d5a213a324bce5edf668a45d89f6f3feec7955b863a36ca6e07bba469f5bf7972e1a3",
    },
];

pub(crate) const AES: &[Vector] = &[
    Vector {
        secret: "d5dbeb83aafb7753ef9357a078ce50ad913101b1f539fec200fecd89feec1c2e",
        hsize: 32,
        csize: 0,
        key: "fef61f490d8fe2192b8f1978cc158263",
        value: "",
        stored_key: "ccf4f59ac1013de09de79664f216a79b1c40319f43b2646a248d72d87872b5eb",
        stored_value: "a15a66670831db033b6ec4817408f773",
    },
    Vector {
        secret: "b41d25faf64d94a1af646ee498417e8c985a3cf39b7c160baff1cc2151388493c79f825f85401ddfd0c90187fcfb73c4b4140b52ff75763c4edca1ee8b5f0d8834a9a81b0d949bed1daa378f6ff92112",
        hsize: 32,
        csize: 0,
        key: "19",
        value: "f2",
        stored_key: "c897bcba1c2bc553c30397e3a2cba0aa2de4c8ac18cc86a0219882f1e55d677b",
        stored_value: "6a042c2b6c172b908ef9e209255d8ac3",
    },
    Vector {
        secret: "0b8caffda755fdf994d74a3218ebece10b94b4dd1a26049956ba6ec28c4ab70cbfcbcf4c9f7f695b0d3c2b0d61870afa1d0e95a9",
        hsize: 20,
        csize: 16,
        key: "b9a4ac6ff2",
        value: "a00ee290b77272a34caee1dc595d57f2",
        stored_key: "0e593131da933f1a38e22f1814297a3fcdc31c14",
        stored_value: "3a263e3d3ff9f2cc36687ad8bebe6a5aeb95c82933c164642cfcc4671f52d4b14663c8b891ed33cf42f9f1b15a4966f1",
    },
    Vector {
        secret: "2a82fa733022b4f26794d98e9cf50f6ba6fe62063dd6272a077be8eff9a3a311",
        hsize: 8,
        csize: 4,
        key: "d7e0b58444b83f40ae2e5a312f5bd25099a2979628e812f243a03d50d3e32f4a18529e3ae047ee568fa935abd600fcc12f6c23b2885dd3a868dbec15831eee364665fa016dc251f3e1",
        value: "5bfd6a3dbb54da762e02f241b42e7b91b2dfe90defbde9a74a4e17c6b71028d972b30f29a272bc3a9f461ec3ac5a5e35ae07e3765f2a6660c1a1f02e9b16e7fab5",
        stored_key: "3392e7645a1c0e95",
        stored_value: "20d41e5d2e300f572ae631abb8f6d06cc80b40ecd9eef9b446cd10918881d197eae53e53c75353ad5e13532bf7914b3cd1d04b6b4573eb7e1eee09121f477efb26bd455e461ff734ae73593921e2accfb8c4a5a2",
    },
];
