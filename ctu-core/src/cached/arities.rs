/// Calls a macro once for each supported number of key arguments. Each argument has the type, the
/// type of its part of the key, and the position.
macro_rules! arities {
    ($each:ident) => {
        $each!();
        $each!(A KA 0);
        $each!(A KA 0 B KB 1);
        $each!(A KA 0 B KB 1 C KC 2);
        $each!(A KA 0 B KB 1 C KC 2 D KD 3);
        $each!(A KA 0 B KB 1 C KC 2 D KD 3 E KE 4);
        $each!(A KA 0 B KB 1 C KC 2 D KD 3 E KE 4 F KF 5);
        $each!(A KA 0 B KB 1 C KC 2 D KD 3 E KE 4 F KF 5 G KG 6);
        $each!(A KA 0 B KB 1 C KC 2 D KD 3 E KE 4 F KF 5 G KG 6 H KH 7);
    };
}
pub(super) use arities;
