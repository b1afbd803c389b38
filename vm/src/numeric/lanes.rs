//! Vectors as lanes of numbers, lane 0 in the lowest bits.

/// A number of which a vector holds `COUNT`.
pub trait Lane<const COUNT: usize>: Copy {
    /// The lanes of a vector.
    fn split(vector: u128) -> [Self; COUNT];
    /// The vector of these lanes.
    fn join(lanes: [Self; COUNT]) -> u128;
}

macro_rules! lanes {
    ($($ty:ty: $count:literal;)*) => {
        $(impl Lane<$count> for $ty {
            #[inline(always)]
            fn split(vector: u128) -> [Self; $count] {
                const BITS: usize = 8 * size_of::<$ty>();
                std::array::from_fn(|lane| {
                    let bytes = (vector >> (lane * BITS)).to_le_bytes();
                    <$ty>::from_le_bytes(*bytes.first_chunk().expect("a lane is no wider than a vector"))
                })
            }

            #[inline(always)]
            fn join(lanes: [Self; $count]) -> u128 {
                const BYTES: usize = size_of::<$ty>();
                let mut bytes = [0; 16];
                for (lane, value) in lanes.into_iter().enumerate() {
                    bytes[lane * BYTES..][..BYTES].copy_from_slice(&value.to_le_bytes());
                }
                u128::from_le_bytes(bytes)
            }
        })*
    };
}
lanes! {
    i8: 16;
    u8: 16;
    i16: 8;
    u16: 8;
    i32: 4;
    u32: 4;
    i64: 2;
    u64: 2;
    f32: 4;
    f64: 2;
}

/// Applies a function to each lane.
#[inline(always)]
pub(super) fn map<T: Lane<N>, U: Lane<N>, const N: usize>(
    vector: u128,
    function: impl Fn(T) -> U,
) -> u128 {
    U::join(T::split(vector).map(function))
}

/// Applies a function to the lanes of two vectors.
#[inline(always)]
pub(super) fn zip<T: Lane<N>, U: Lane<N>, const N: usize>(
    left: u128,
    right: u128,
    function: impl Fn(T, T) -> U,
) -> u128 {
    let (left, right) = (T::split(left), T::split(right));
    U::join(std::array::from_fn(|lane| {
        function(left[lane], right[lane])
    }))
}

/// Applies a function to the lanes of three vectors.
#[inline(always)]
pub(super) fn zip3<T: Lane<N>, const N: usize>(
    first: u128,
    second: u128,
    third: u128,
    function: impl Fn(T, T, T) -> T,
) -> u128 {
    let (first, second, third) = (T::split(first), T::split(second), T::split(third));
    T::join(std::array::from_fn(|lane| {
        function(first[lane], second[lane], third[lane])
    }))
}

/// Applies a function to the lanes from `start` on, as many as the result has.
#[inline(always)]
pub(super) fn map_from<T: Lane<N>, U: Lane<M>, const N: usize, const M: usize>(
    vector: u128,
    start: usize,
    function: impl Fn(T) -> U,
) -> u128 {
    let lanes = T::split(vector);
    U::join(std::array::from_fn(|lane| function(lanes[start + lane])))
}

/// Applies a function to the lanes of two vectors from `start` on, as many as the result has.
#[inline(always)]
pub(super) fn zip_from<T: Lane<N>, U: Lane<M>, const N: usize, const M: usize>(
    left: u128,
    right: u128,
    start: usize,
    function: impl Fn(T, T) -> U,
) -> u128 {
    let (left, right) = (T::split(left), T::split(right));
    U::join(std::array::from_fn(|lane| {
        function(left[start + lane], right[start + lane])
    }))
}

/// Applies a function to neighbouring lanes.
#[inline(always)]
pub(super) fn pairwise<T: Lane<N>, U: Lane<M>, const N: usize, const M: usize>(
    vector: u128,
    function: impl Fn(T, T) -> U,
) -> u128 {
    let lanes = T::split(vector);
    U::join(std::array::from_fn(|lane| {
        function(lanes[2 * lane], lanes[2 * lane + 1])
    }))
}

/// Applies a function to neighbouring lanes of two vectors: two of the left one, then two of the right one.
#[inline(always)]
pub(super) fn zip_pairs<T: Lane<N>, U: Lane<M>, const N: usize, const M: usize>(
    left: u128,
    right: u128,
    function: impl Fn([T; 2], [T; 2]) -> U,
) -> u128 {
    let (left, right) = (T::split(left), T::split(right));
    U::join(std::array::from_fn(|lane| {
        let pair = |lanes: &[T; N]| [lanes[2 * lane], lanes[2 * lane + 1]];
        function(pair(&left), pair(&right))
    }))
}

/// Narrows the lanes of two vectors, those of the left one into the lower half.
#[inline(always)]
pub(super) fn narrow<T: Lane<N>, U: Lane<M>, const N: usize, const M: usize>(
    left: u128,
    right: u128,
    function: impl Fn(T) -> U,
) -> u128 {
    let (left, right) = (T::split(left), T::split(right));
    U::join(std::array::from_fn(|lane| {
        function(if lane < N {
            left[lane]
        } else {
            right[lane - N]
        })
    }))
}

/// Widens or converts the lower lanes of a vector from lanes twice as wide; the upper lanes are zero.
#[inline(always)]
pub(super) fn map_low<T: Lane<N>, U: Lane<M> + Default, const N: usize, const M: usize>(
    vector: u128,
    function: impl Fn(T) -> U,
) -> u128 {
    let lanes = T::split(vector);
    U::join(std::array::from_fn(|lane| {
        lanes
            .get(lane)
            .map_or(U::default(), |&value| function(value))
    }))
}

/// Copies a number to each lane.
#[inline(always)]
pub(super) fn splat<T: Lane<N>, const N: usize>(value: T) -> u128 {
    T::join([value; N])
}

/// Replaces one lane.
#[inline(always)]
pub(super) fn replace<T: Lane<N>, const N: usize>(vector: u128, lane: u8, value: T) -> u128 {
    let mut lanes = T::split(vector);
    lanes[usize::from(lane)] = value;
    T::join(lanes)
}

/// One lane.
#[inline(always)]
pub(super) fn extract<T: Lane<N>, const N: usize>(vector: u128, lane: u8) -> T {
    T::split(vector)[usize::from(lane)]
}

/// The signs of the lanes as bits.
#[inline(always)]
pub(super) fn bitmask<T: Lane<N>, const N: usize>(
    vector: u128,
    is_negative: impl Fn(T) -> bool,
) -> u32 {
    let lanes = T::split(vector).into_iter().enumerate();
    lanes
        .map(|(lane, value)| u32::from(is_negative(value)) << lane)
        .sum()
}

/// Whether a predicate holds for all lanes.
#[inline(always)]
pub(super) fn all<T: Lane<N>, const N: usize>(vector: u128, predicate: impl Fn(T) -> bool) -> u32 {
    u32::from(T::split(vector).into_iter().all(predicate))
}
