//! Calls of the ProgramService about programs.

use loyalty_api::v1;
use prost_types::FieldMask;

use super::{Client, attempt};
use crate::{
    error::Error,
    id::ProgramId,
    page::{Page, PageRequest},
    program::{NewProgram, Program},
    program_update::ProgramUpdate,
    wire::present,
};

impl Client {
    /// Creates a program.
    ///
    /// # Errors
    ///
    /// [`Error::ProgramExists`] when the id is taken.
    pub async fn create_program(&self, program: &NewProgram) -> Result<Program, Error> {
        let message = |request_id| v1::CreateProgramRequest {
            request_id,
            program: Some(program.to_wire()),
        };
        let answer = self
            .write(message, attempt!(self.raw_programs(), create_program))
            .await?;
        Program::from_wire(present("program", answer.program)?)
    }

    /// The program as it is now.
    ///
    /// # Errors
    ///
    /// [`Error::ProgramNotFound`] when there is none.
    pub async fn get_program(&self, program_id: impl Into<ProgramId>) -> Result<Program, Error> {
        let message = v1::GetProgramRequest {
            program_id: program_id.into().into(),
        };
        let answer = self.read(message, attempt!(self.raw_programs(), get_program)).await?;
        Program::from_wire(present("program", answer.program)?)
    }

    /// The merchant's programs, in order of id.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFields`] when the page is not one that this list gave.
    pub async fn list_programs(&self, page: &PageRequest) -> Result<Page<Program>, Error> {
        let message = v1::ListProgramsRequest {
            page_size: page.page_size,
            page_token: page.page_token.clone(),
        };
        let answer = self.read(message, attempt!(self.raw_programs(), list_programs)).await?;
        let programs = answer.programs.into_iter().map(Program::from_wire);
        Ok(Page::new(
            programs.collect::<Result<_, _>>()?,
            page,
            answer.next_page_token,
        ))
    }

    /// Changes settings or tiers of a program. The change holds for every sale recorded after this call returned.
    ///
    /// # Errors
    ///
    /// [`Error::EtagMismatch`] when somebody changed it since it was read, [`Error::ProgramArchived`],
    /// [`Error::ProgramNotFound`].
    pub async fn update_program(&self, update: &ProgramUpdate) -> Result<Program, Error> {
        let message = |request_id| v1::UpdateProgramRequest {
            request_id,
            program: Some(update.program.clone()),
            update_mask: Some(FieldMask {
                paths: update.paths.clone(),
            }),
        };
        let answer = self
            .write(message, attempt!(self.raw_programs(), update_program))
            .await?;
        Program::from_wire(present("program", answer.program)?)
    }

    /// Closes a program for good. `etag` is the one that was read.
    ///
    /// # Errors
    ///
    /// As [`update_program`](Self::update_program).
    pub async fn archive_program(
        &self,
        program_id: impl Into<ProgramId>,
        etag: impl Into<String>,
    ) -> Result<Program, Error> {
        let message = |request_id| v1::ArchiveProgramRequest {
            request_id,
            program_id: program_id.into().into(),
            etag: etag.into(),
        };
        let answer = self
            .write(message, attempt!(self.raw_programs(), archive_program))
            .await?;
        Program::from_wire(present("program", answer.program)?)
    }
}
